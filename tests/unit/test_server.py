"""What the tests' own server says when it does not end."""

import subprocess
import sys

import pytest

from tests.support import server

IGNORES_TERM = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
def hang():
    print("ready", flush=True)
    time.sleep(600)
hang()
"""


def test_a_server_that_does_not_end_is_killed_and_says_where_it_hangs(tmp_path):
    log = tmp_path / "log"
    command = [sys.executable, "-X", "faulthandler", "-c", IGNORES_TERM]
    with open(log, "wb") as stream, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stream) as process:
        assert process.stdout.readline() == b"ready\n"
        with pytest.raises(AssertionError, match=r"did not end[^$]*line 6 in hang"):
            server.end(process, log, seconds=1)
        assert process.poll() is not None
