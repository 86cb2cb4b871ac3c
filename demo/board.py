"""TensorBoard in a process of its own."""

from __future__ import annotations

import contextlib
import pathlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

_START_SECONDS = 120


@contextlib.contextmanager
def tensorboard(logdir: pathlib.Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Starts TensorBoard on the loopback interface; yields its process and its address, and ends it."""
    output = logdir / "tensorboard.txt"
    with open(output, "wb") as stream:
        command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir), "--host", "127.0.0.1"]
        # In a session of its own, so that Ctrl-C reaches this process alone, which then ends it in order.
        process = subprocess.Popen(command, stdout=stream, stderr=stream, start_new_session=True)
    try:
        yield process, _address(process, output)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _address(process: subprocess.Popen[bytes], output: pathlib.Path) -> str:
    end = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        found = re.search(r"http://[^ ]+", output.read_text())
        if found:
            return found[0]
        time.sleep(0.1)
    raise SystemExit(f"TensorBoard did not start:\n{output.read_text()}")
