"""What the tests' own server says when it does not end."""

import subprocess
import sys

import pytest

from tests.support import server

IGNORES_TERM = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: print(sys.argv[1], file=sys.stderr, flush=True))
def hang():
    print("ready", flush=True)
    while True:
        time.sleep(600)
hang()
"""
LOSES_TERM = """
import signal, sys, time, weakref
signal.signal(signal.SIGTERM, lambda *_: (print(sys.argv[1], file=sys.stderr, flush=True), sys.exit(0)))
thing = set()
def wait(_):
    print("ready", flush=True)
    time.sleep(600)
reference = weakref.ref(thing, wait)
del thing
time.sleep(600)
"""
SAYS_IT_ENDS = "TensorBoard caught SIGTERM; exiting..."


def end(directory, words, script="script.py", content=IGNORES_TERM):
    log, code = directory / "log", directory / script
    code.write_text(content)
    command = [sys.executable, "-X", "faulthandler", str(code), words]
    with open(log, "wb") as stream, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stream) as process:
        assert process.stdout.readline() == b"ready\n"
        try:
            server.end(process, log, seconds=1)
        finally:
            assert process.poll() is not None


@pytest.mark.parametrize(("words", "script"), [("I stay", "script.py"), (SAYS_IT_ENDS, "tb_filterviz.py")])
def test_a_server_that_does_not_end_is_killed_and_says_where_it_hangs(tmp_path, words, script):
    with pytest.raises(AssertionError, match=r"did not end[^$]*line 7 in hang"):
        end(tmp_path, words, script)


def test_what_ends_slowly_but_nowhere_in_the_package_is_killed_and_that_is_all(tmp_path):
    end(tmp_path, SAYS_IT_ENDS)


def test_what_lost_its_end_in_the_callback_of_a_weak_reference_is_asked_again(tmp_path):
    end(tmp_path, SAYS_IT_ENDS, "tb_filterviz.py", LOSES_TERM)
