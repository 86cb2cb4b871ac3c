"""How soon a step shows in the tab: from the end of its write to its picture, in headless Chromium."""

from __future__ import annotations

import pathlib
import random
import shutil
import statistics
import time
from collections.abc import Iterator

from playwright.sync_api import sync_playwright

from tests.e2e.conftest import ARGUMENTS, kernel_events
from tests.e2e.test_tab import first_card, open_tab
from tests.support import logs, server

STEPS = 50
_RELOAD_SECONDS = "5"  # TensorBoard's default


def measure(directory: pathlib.Path) -> Iterator[tuple[str, str, str]]:
    """Yields (what, figure, bar)."""
    for load_fast, loader in (("true", "RustBoard"), ("false", "Python loader")):
        seconds = _follow(directory / load_fast, load_fast)
        figure = f"{statistics.median(seconds):.2f} s median, {max(seconds):.2f} s at most"
        yield f"{loader}: a step that was just written in the tab, {STEPS} steps", figure, "2 s"


def _follow(directory: pathlib.Path, load_fast: str) -> list[float]:
    """Returns the seconds of each step; they are written at random moments between the tab's questions."""
    wait = random.Random(0)
    file = logs.write_file(directory / "live" / "events.out.tfevents.1.host", kernel_events([0]))
    with (
        server.serve(directory, load_fast, "--reload_interval", _RELOAD_SECONDS) as board,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        first_card(open_tab(board, page))
        frame = next(frame for frame in page.frames if "plugin_entry" in frame.url)
        seconds = []
        for step in range(1, STEPS + 1):
            time.sleep(wait.random())
            logs.append(file, kernel_events([step]))
            begin = time.monotonic()
            frame.wait_for_function("step => document.querySelector('.card')?.dataset.step === String(step)", arg=step)
            seconds.append(time.monotonic() - begin)
        browser.close()
    return seconds
