"""What the route `export` gives, in a real browser: the SVG looks as the PNG does, and a link saves a file."""

import base64
import csv
import io
import pathlib
import urllib.parse

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tb_filterviz import wire
from tests.e2e.conftest import values
from tests.e2e.test_tab import first_card, layer_key, open_tab
from tests.e2e.test_views import violations
from tests.support import pictures

TAG = wire.tag("cnn", "conv1/kernel", wire.KERNEL)


def address(board, **parameters):
    query = urllib.parse.urlencode({"run": "alpha", "tag": TAG, "step": 2, **parameters})
    return f"data/plugin/filterviz/export?{query}"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_svg_looks_as_the_png_does(board, page, theme):
    svg, png = (
        board.fetch(address(board, theme=theme, inputs="strongest", width=700, format=form)).body
        for form in ("svg", "png")
    )
    expected = pictures.pixels(png)
    height, width, _ = expected.shape
    page.set_viewport_size({"width": width, "height": height})
    source = base64.b64encode(svg).decode()
    page.set_content(f'<body style="margin:0"><img src="data:image/svg+xml;base64,{source}">')
    page.wait_for_function("document.images[0].complete && document.images[0].naturalWidth > 0")
    drawn = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
    assert drawn.shape == expected.shape
    background = expected[0, 0].astype(int)
    for x, y, picture in pictures.svg_pictures(svg):
        part = (slice(y, y + picture.shape[0]), slice(x, x + picture.shape[1]))
        weights = (picture != background).any(axis=2)  # labels stand between them
        np.testing.assert_array_equal(drawn[part][weights], expected[part][weights])
    for x, y, text in pictures.svg_texts(svg):
        # The typefaces differ: each text has ink where it begins, or ends, in both.
        part = (slice(max(0, y - 10), y), slice(max(0, x - 12), x + 12))
        for one in (drawn, expected):
            assert np.abs(one[part].astype(int) - background).max() > 60, text


@pytest.mark.parametrize(
    ("form", "suffix"), [("png", "png"), ("svg", "svg"), ("apng", "png"), ("npz", "npz"), ("csv", "csv")]
)
def test_a_link_saves_a_file(board, page, form, suffix):
    what = {"what": "history"} if form == "apng" else {}
    page.goto(f"{board.url}data/plugins_listing")
    page.evaluate(
        "href => { document.body.innerHTML = `<a id=save href='${href}'>save</a>` }",
        board.url + address(board, format=form, **what),
    )
    with page.expect_download(timeout=10_000) as download:
        page.click("#save")
    assert download.value.suggested_filename == f"conv1_kernel_alpha_{'history' if what else 2}.{suffix}"
    saved = pathlib.Path(download.value.path()).read_bytes()
    assert saved == board.fetch(address(board, format=form, **what)).body


def test_an_animation_plays(board, page):
    """The browser decodes each of the formats, and shows other pixels later."""
    for form in ("gif", "apng", "webp"):
        content = board.fetch(address(board, what="history", fps=20, limit=1, format=form)).body
        media = {"apng": "image/png"}.get(form, f"image/{form}")
        page.set_content(f'<img src="data:{media};base64,{base64.b64encode(content).decode()}">')
        page.wait_for_function("document.images[0].complete && document.images[0].naturalWidth > 0")
        seen = set()
        for _ in range(40):
            seen.add(page.screenshot())
            if len(seen) > 1:
                break
        assert len(seen) > 1, form


MEDIA = {
    **{"png": "image/png", "svg": "image/svg+xml", "gif": "image/gif"},
    **{"npz": "application/octet-stream", "csv": "text/csv"},
}


def saved(board, tab, awaited=""):
    """What the links of the menu give, once one of a kind is there: the content by (what, format)."""
    tab.get_by_role("button", name="Export").click()
    links = tab.locator("#export a")
    expect(tab.locator(f"#export a[href*='what={awaited}']").first).to_be_visible()
    contents = {}
    for href in links.evaluate_all("all => all.map((one) => one.href)"):
        answer = board.fetch(href.removeprefix(board.url))
        given = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(href).query))
        form = given["format"]
        assert (answer.status, answer.headers.get_content_type()) == (200, MEDIA[form]), href
        contents[given["what"], form] = answer.body
    return contents


def shows(png, picture, limit):
    """Whether the weights `[3, 3]` are there somewhere, as grey squares of whatever size."""
    image = pictures.pixels(png)[..., 0]
    levels = [[pictures.grey(weight, limit)[0] for weight in row] for row in picture]
    height, width = image.shape
    for scale in range(4, 80):
        rows, columns = height - 2 * scale, width - 2 * scale
        found = np.ones((max(0, rows), max(0, columns)), bool)
        for i, line in enumerate(levels):
            for j, level in enumerate(line):
                y, x = i * scale, j * scale
                found &= image[y : y + rows, x : x + columns] == level
        if found.sum() >= scale * scale:
            return True
    return False


def test_the_menu_saves_the_grid_that_is_shown(board, page):
    tab = open_tab(
        board, page, layer=layer_key("conv1/kernel"), run="alpha", step=1, input=0, map="grey", scale="layer"
    )
    first_card(tab)
    tab.get_by_test_id("find").fill("3, 7")
    expect(tab.get_by_test_id("found")).to_have_text("2 of 16 filters")
    contents = saved(board, tab)
    assert set(contents) == {
        *(("kernels", form) for form in ("png", "svg", "npz")),
        *(("history", form) for form in ("gif", "png", "npz", "csv")),
        ("numbers", "csv"),
    }
    kernel = values("conv1", 1)
    limit = float(np.abs(kernel.astype(np.float16)).max())
    stored = kernel.astype(np.float16).astype(np.float32)
    there = [o for o in range(16) if shows(contents["kernels", "png"], stored[:, :, 0, o], limit)]
    assert there == [3, 7]
    texts = " ".join(text for _, _, text in pictures.svg_texts(contents["kernels", "svg"]))
    assert "alpha" in texts
    assert "step 1" in texts
    assert not violations(page)
    page.keyboard.press("Escape")
    expect(tab.locator("#export")).to_be_hidden()
    page.keyboard.press("]")
    after = values("conv1", 2).astype(np.float16).astype(np.float32)
    assert shows(saved(board, tab)["kernels", "png"], after[:, :, 0, 7], float(np.abs(after).max()))


def test_the_menu_saves_the_filter_that_is_shown(board, page):
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha", step=2, filter=3, map="grey")
    contents = saved(board, tab, "patterns")
    assert {("kernels", "png"), ("patterns", "png"), ("history", "gif")} <= set(contents)
    stored = values("conv1", 2).astype(np.float16).astype(np.float32)
    limit = float(np.abs(stored[..., 3]).max())
    for i in range(3):
        assert shows(contents["kernels", "png"], stored[:, :, i, 3], limit)
    red = (pictures.pixels(contents["patterns", "png"]) == (255, 0, 0)).all(axis=2)
    assert red.sum() >= 20 * 20
    with page.expect_download(timeout=10_000) as download:
        tab.locator("#export a").first.click()
    assert download.value.suggested_filename == "conv1_kernel_alpha_2.png"
    page.keyboard.press("Escape")
    expect(tab.locator("#export")).to_be_hidden()
    expect(tab.locator(".detail")).to_be_visible()


def test_the_menu_saves_the_overview(board, page):
    tab = open_tab(board, page, view="overview", main="alpha", step=1)
    expect(tab.locator(".overview-row").first).to_be_visible()
    contents = saved(board, tab)
    assert set(contents) == {("overview", form) for form in ("png", "svg", "csv", "npz")}
    texts = " ".join(text for _, _, text in pictures.svg_texts(contents["overview", "svg"]))
    rows = list(csv.DictReader(io.StringIO(contents["overview", "csv"].decode())))
    for words in ("alpha", *(row["layer"] for row in rows)):
        assert words in texts
    assert [int(row["step"]) for row in rows if row["layer"].endswith("conv1/kernel")] == [1]


def test_the_menu_saves_the_comparison_that_is_shown(board, page):
    where = {"view": "compare", "layer": layer_key("conv1/kernel"), "a": "alpha", "b": "alpha", "stepA": 0}
    tab = open_tab(board, page, **where, step=2, input=1, map="grey", scale="layer")
    expect(tab.get_by_test_id("grid-canvas")).to_have_count(3)
    contents = saved(board, tab)
    assert set(contents) == {("compare", form) for form in ("png", "svg", "csv", "npz")}
    before, after = (values("conv1", step).astype(np.float16).astype(np.float64) for step in (0, 2))
    change = np.linalg.norm((after - before).reshape(-1, 16), axis=0) / np.linalg.norm(before.reshape(-1, 16), axis=0)
    rows = list(csv.DictReader(io.StringIO(contents["compare", "csv"].decode())))
    np.testing.assert_allclose([float(row["change"]) for row in rows], change, rtol=1e-4)
