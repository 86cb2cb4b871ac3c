"""Pictures of the views, beside those in `golden/`. `make golden` takes these anew; look at them before you commit.

Compared is what does not depend on the fonts of a machine: grids, strips, plots, borders and where they are. What is
made of letters keeps its place and is not seen.
"""

import io
import pathlib

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.e2e.conftest import kernel_events, pattern_event
from tests.e2e.test_tab import PAINTED, SECONDS, layer_key, open_tab
from tests.support import logs, server

GOLDEN = pathlib.Path(__file__).parent / "golden"
SHARE = 0.002
"""So much of a picture may differ: Chromium's versions draw slanted lines and round corners in their own ways."""
CHANNEL = 48
"""A pixel differs if one of its channels does by more than this."""
LARGEST = 100_000  # bytes of a file

WITH_ALL_BASES = ".overview:has(.plot + .plot):not(:has(.overview-row:not(:has([data-testid=basis]))))"
WITH_ALL_PARTS = ".card:has([data-testid=pattern]):has([data-testid=nearest]):has(.history .plot + .plot)"
GRID = {"layer": layer_key("conv1/kernel"), "tile": 60, "scale": "layer"}
VIEWS = {
    # Tiles of a comparison are too small for captions, which are letters.
    # name: (what was picked, what is compared, what is drawn last, what a layout may shift; None: too little is drawn)
    "overview": ({"view": "overview"}, ".overview", WITH_ALL_BASES, ".strip"),
    "grid": ({**GRID, "input": 1}, ".card", "[data-testid=grid-canvas]", ".mosaic"),
    "grid-rgb": ({**GRID, "input": "rgb"}, ".card", "[data-testid=grid-canvas]", ".mosaic"),
    "detail": ({**GRID, "filter": 2, "tile": 96}, ".card", WITH_ALL_PARTS, None),
    "patterns": ({**GRID, "kind": "both", "input": 1, "tile": 96}, ".card", "[data-testid=pattern]", ".patterns"),
    "compare": ({**GRID, "view": "compare", "tile": 21}, ".card", "section:last-child > .mosaic", ".mosaic"),
}
NO_LETTERS = """
header *, .below, .legend, .plot i, .overview button, .overview i, h3, label, table, .spread,
[role=option] > *:not(canvas), figure > *:not(canvas, svg, figure), [data-testid=facts], [data-testid=nearest] {
  visibility: hidden !important;
}
.overview .badges > :not([data-testid=basis]), [data-testid=basis] > i { display: none !important; }
figure { color: transparent !important; }
"""


@pytest.fixture(scope="module")
def golden_board(tmp_path_factory):
    directory = tmp_path_factory.mktemp("golden")
    logs.write_file(
        directory / "run" / "events.out.tfevents.1.host",
        [*kernel_events([0, 1, 2]), pattern_event("cnn", "conv1/kernel", 2)],
    )
    with server.serve(directory, "true") as board:
        board.index_when(lambda index: len(server.steps(index)) == 5)
        yield board


def picture(board, page, view, theme, style=""):
    """Returns a view as it is drawn, uint8 `[height][width][3]`."""
    picks, compared, last, _ = VIEWS[view]
    page.goto("about:blank")
    tab = open_tab(board, page, **picks)
    if theme == "dark":
        page.evaluate("() => document.body.classList.add('dark-mode')")
    expect(tab.locator(last).last).to_be_visible(timeout=20 * SECONDS)
    expect(tab.locator(".stale")).to_have_count(0, timeout=20 * SECONDS)
    frame = next(frame for frame in page.frames if "plugin_entry" in frame.url)
    frame.wait_for_function(f"of => [...document.querySelectorAll(of)].every({PAINTED})", arg=f"{compared} canvas")
    frame.add_style_tag(content=NO_LETTERS + style)
    page.mouse.move(1279, 799)
    page.wait_for_timeout(700)  # TensorBoard fades from one theme to the other
    png = tab.locator(compared).first.screenshot(animations="disabled")
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def differing(one, other):
    """Returns the share of pixels that differ; 1 for pictures of two sizes."""
    if one.shape != other.shape:
        return 1.0
    return float((np.abs(one.astype(int) - other).max(axis=2) > CHANNEL).mean())


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_looks_as_it_did(golden_board, page, view, theme, request, tmp_path):
    seen = picture(golden_board, page, view, theme)
    file = GOLDEN / f"{view}-{theme}.png"
    if request.config.getoption("--renew-golden"):
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(seen).quantize(256).save(file, optimize=True)
    assert file.exists(), f"there is no {file}: make golden"
    assert file.stat().st_size < LARGEST
    expected = np.asarray(Image.open(file).convert("RGB"))
    Image.fromarray(seen).save(tmp_path / "seen.png")
    share = differing(seen, expected)
    assert share <= SHARE, f"{share:.2%} of {tmp_path / 'seen.png'} differ from {file}; if that is meant: make golden"


@pytest.mark.parametrize("side", ["left", "top"])
@pytest.mark.parametrize("view", [view for view, (*_, shifted) in VIEWS.items() if shifted])
def test_a_shift_by_one_pixel_is_seen(golden_board, page, view, side):
    shifted = picture(golden_board, page, view, "light", f"{VIEWS[view][3]} {{ position: relative; {side}: 1px; }}")
    expected = np.asarray(Image.open(GOLDEN / f"{view}-light.png").convert("RGB"))
    assert shifted.shape == expected.shape
    assert differing(shifted, expected) > 2 * SHARE
