"""One log directory, written without TensorFlow, behind a real TensorBoard: each source, each loader."""

from __future__ import annotations

import pytest

from tests.plugin.samples import SHAPES, STEPS, kernel_events, pattern_events
from tests.support import logs, server


@pytest.fixture(scope="session")
def logdir(tmp_path_factory):
    directory = tmp_path_factory.mktemp("logs")
    for run in ("run10", "run2"):
        events = [one for position, name in enumerate(SHAPES) for one in kernel_events(name, position)]
        logs.write_file(directory / run / "events.out.tfevents.1.host", [*events, *pattern_events()])
    return directory


@pytest.fixture(scope="session", params=server.BACKENDS)
def board(request, logdir):
    """A TensorBoard that has read everything."""
    with server.serve(logdir, *server.BACKENDS[request.param]) as running:
        count = 2 * (len(SHAPES) + 1)
        running.index_when(lambda index: len(server.steps(index)) == count and all_steps(index))
        yield running


def all_steps(index) -> bool:
    return all(found in ([*STEPS], [10]) for found in server.steps(index).values())
