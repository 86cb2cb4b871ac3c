"""The tab in headless Chromium, on the log that `serving` wrote: from click to picture, and repainting."""

from __future__ import annotations

import pathlib
import shutil
import statistics
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Frame, sync_playwright

from tests.bench import serving
from tests.e2e.conftest import ARGUMENTS
from tests.support import server

_LAYER = "hed%7Cblock5_conv2%2Fkernel"


def measure(directory: pathlib.Path) -> Iterator[tuple[str, str, str]]:
    """Yields (what, figure, bar)."""
    for load_fast, loader in (("true", "RustBoard"), ("false", "Python loader")):
        with server.serve(directory, load_fast) as board, sync_playwright() as playwright:
            board.index_when(serving.ready)
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            opened = [_open(page, board.url) for _ in range(7)]
            figure = f"{statistics.median(opened):.0f} ms median, {opened[0]:.0f} ms first"
            yield f"{loader}: from the click on the layer to its grid drawn", figure, "150 ms"
            yield from ((f"{loader}: {what}", figure, bar) for what, figure, bar in _mosaic(page, board.url))
            browser.close()


def _tab(page: Any, url: str, fragment: str) -> Frame:
    page.goto("about:blank")
    page.goto(f"{url}#filterviz&p.filterviz.run=pretrained&{fragment}")
    page.frame_locator("iframe[src*=filterviz]").get_by_test_id("grid-canvas").wait_for()
    frame: Frame = next(frame for frame in page.frames if "plugin_entry" in frame.url)
    frame.wait_for_function("() => performance.getEntriesByName('filterviz:drawn').length > 0")
    return frame


def _open(page: Any, url: str) -> float:
    """Returns the milliseconds from a click on the layer to its grid drawn, with nothing of it fetched before."""
    frame = _tab(page, url, "p.filterviz.layer=hed%7Cblock1_conv1%2Fkernel")
    frame.evaluate("() => performance.clearMarks()")
    frame.locator(".layers").get_by_text("block5_conv2/kernel").click()
    frame.wait_for_function("() => performance.getEntriesByName('filterviz:drawn').length > 0")
    milliseconds: float = frame.evaluate(
        """() => performance.getEntriesByName('filterviz:drawn')[0].startTime
               - performance.getEntriesByName('filterviz:open')[0].startTime"""
    )
    return milliseconds


def _mosaic(page: Any, url: str) -> Iterator[tuple[str, str, str]]:
    frame = _tab(page, url, f"p.filterviz.layer={_LAYER}&p.filterviz.input=all&p.filterviz.zoom=3")
    width, height = frame.get_by_test_id("grid-canvas").evaluate("canvas => [canvas.width, canvas.height]")
    painted = []
    for name in ("grey", "bluered", "blueorange", "night") * 3:
        frame.evaluate("() => performance.clearMeasures()")
        frame.get_by_test_id(f"map-{name}").check()
        frame.wait_for_function("() => performance.getEntriesByName('filterviz:paint').length > 0")
        painted.append(frame.evaluate("() => performance.getEntriesByName('filterviz:paint').at(-1).duration"))
    what = f"the mosaic of all 262,144 slices with another colour map ({width} x {height} pixels in view)"
    yield what, f"{statistics.median(painted):.0f} ms median, {max(painted):.0f} ms at most", "50 ms"
