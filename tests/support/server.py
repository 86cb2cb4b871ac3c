"""A real TensorBoard in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

FROM_TENSORBOARD = ("--filterviz_source", "tensorboard")
BACKENDS = {
    "files": ("true",),
    "files beside python": ("false",),
    "rust": ("true", *FROM_TENSORBOARD),
    "python": ("false", *FROM_TENSORBOARD),
}
"""Arguments of `serve`: where the tab's data come from, with each loader of TensorBoard."""


class Answer:
    """What the server answered."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        assert self.status == 200, self.text
        return json.loads(self.body)

    @property
    def frame(self) -> tuple[Any, bytes]:
        """Splits a frame as http_api.md describes it."""
        assert self.status == 200, self.text
        (length,) = struct.unpack_from("<I", self.body)
        assert (4 + length) % 8 == 0
        return json.loads(self.body[4 : 4 + length]), self.body[4 + length :]


class TensorBoard:
    """A server that was started by `serve`."""

    def __init__(self, url: str, log: pathlib.Path, process: subprocess.Popen[bytes]) -> None:
        self.url, self._log, self.process = url, log, process

    @property
    def log(self) -> str:
        """What the server printed."""
        return self._log.read_text()

    def get(self, route: str, method: str = "GET", **parameters: object) -> Answer:
        """Asks the plugin."""
        query = urllib.parse.urlencode(parameters)
        return self.fetch(f"data/plugin/filterviz/{route}" + (f"?{query}" if query else ""), method)

    def fetch(self, path: str, method: str = "GET") -> Answer:
        """Asks TensorBoard."""
        request = urllib.request.Request(self.url + path, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return Answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def index_when(self, ready: Callable[[Any], bool], seconds: float = 40) -> Any:
        """Returns the index as soon as `ready` holds: loaders read in the background."""
        end = time.monotonic() + seconds
        while True:
            index = self.get("index").json
            if ready(index):
                return index
            if time.monotonic() > end:
                raise AssertionError(f"the index did not become ready: {json.dumps(index)[:2000]}\n{self.log}")
            time.sleep(0.3)


def steps(index: Any) -> dict[tuple[str, str], list[int]]:
    """Returns the steps of each (run, tag) of an index."""
    return {
        (run["run"], one["tag"]): run["timelines"][one["timeline"]]["steps"]
        for run in index["runs"]
        for one in run["series"]
    }


@contextlib.contextmanager
def serve(logdir: pathlib.Path, load_fast: str, *flags: str) -> Iterator[TensorBoard]:
    """Starts TensorBoard on a free port of the loopback interface, and ends it."""
    command = [sys.executable, "-X", "faulthandler", "-m", "tensorboard.main", "--logdir", str(logdir)]
    command += ["--load_fast", load_fast, "--host", "127.0.0.1", "--port", "0", "--reload_interval", "1", *flags]
    with tempfile.TemporaryDirectory() as scratch:
        log = pathlib.Path(scratch, "log")
        with open(log, "wb") as stream:
            environment = {**os.environ, "TMPDIR": scratch, "TF_CPP_MIN_LOG_LEVEL": "3"}
            process = subprocess.Popen(command, stdout=stream, stderr=stream, env=environment, cwd=scratch)
        try:
            yield TensorBoard(_url(process, log), log, process)
        finally:
            end(process, log)


def end(process: subprocess.Popen[bytes], log: pathlib.Path, seconds: float = 60) -> None:
    """Ends a process that runs with faulthandler; one that does not is killed, and its stacks fail the test.

    Not where it said that it ends and no thread is in the package: how long the interpreter takes to take TensorBoard
    and TensorFlow down, on a machine that has much else to do, is not what a test is about.
    """
    process.terminate()
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds / 4)
        if re.search(r"^Exception ignored .*^SystemExit: 0$", log.read_text(), re.S | re.M):
            process.terminate()  # its handler raised where exceptions end, as in the callback of a weak reference
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)  # faulthandler writes where each thread is
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        process.kill()
        process.wait()
        said = log.read_text()
        if "caught SIGTERM; exiting" not in said or re.search(r'File "[^"]*tb_filterviz', said):
            raise AssertionError(f"the process did not end in {seconds} s:\n{said}") from None


def _url(process: subprocess.Popen[bytes], log: pathlib.Path) -> str:
    end = time.monotonic() + 90
    while time.monotonic() < end and process.poll() is None:
        found = re.search(r"http://127\.0\.0\.1:\d+/\S*", log.read_text())
        if found:
            return found[0]
        time.sleep(0.1)
    raise AssertionError(f"TensorBoard did not start:\n{log.read_text()}")
