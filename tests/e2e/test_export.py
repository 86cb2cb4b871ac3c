"""What the route `export` gives, in a real browser: the SVG looks as the PNG does, and a link saves a file."""

import base64
import io
import pathlib
import urllib.parse

import numpy as np
import pytest
from PIL import Image

from tb_filterviz import wire
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
