"""The tab in a real browser, behind a real TensorBoard with each loader and a path prefix."""

import io
import re
import time
import urllib.parse

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.e2e.conftest import HOSTILE, LAYERS, values

SECONDS = 1000
PAINTED = """(canvas) => canvas.width * canvas.height > 0
    && canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean)"""


def open_tab(board, page, **picks):
    fragment = "&".join(
        ["filterviz", *(f"p.filterviz.{k}={urllib.parse.quote(str(v), safe='')}" for k, v in picks.items())]
    )
    page.goto(f"{board.url}#{fragment}")
    return page.frame_locator("iframe[src*=filterviz]")


def layer_key(path, name="cnn"):
    return f"{name.replace('%', '%25')}|{path}"


def first_card(tab):
    card = tab.locator(".card").first
    expect(card.get_by_test_id("grid-canvas")).to_be_visible(timeout=20 * SECONDS)
    return card


def painted(card):
    """Returns a card when there is something on its first canvas, which stands there before its numbers have come."""
    drawn_on(card.get_by_test_id("grid-canvas").first)
    return card


def drawn_on(canvas):
    end = time.monotonic() + 20
    while not canvas.evaluate(PAINTED):
        assert time.monotonic() < end, "nothing was drawn"
        time.sleep(0.05)


def said_of(around, page, x, y, words, canvas=0):
    """Points at a place of a canvas; returns how what is said of it matches `words` - or None between tiles."""
    picture = around.get_by_test_id("grid-canvas").nth(canvas)
    box = picture.bounding_box()
    page.mouse.move(box["x"] + x, box["y"] + y)
    for _ in range(10):  # a busy machine may draw the words a little later
        picture.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
        found = re.search(words, around.locator(".readout").inner_text(), re.S)
        if found:
            return found
    return None


def read(card, page, x, y):
    """Points at a place of the first canvas; returns (filter, input, (*spatial)), value - or None between tiles."""
    words = r"filter (\d+).*?input (\d+).*?(?:depth (\d+), )?row (\d+), column (\d+)\s+(\S+)"
    found = said_of(card, page, x, y, words)
    if found is None:
        return None
    o, i, *spatial = (int(part) for part in found.groups()[:5] if part is not None)
    return o, i, tuple(spatial), float(found[6].replace("\N{MINUS SIGN}", "-"))


def pixel(card, x, y):
    return card.get_by_test_id("grid-canvas").first.evaluate(
        "(canvas, at) => [...canvas.getContext('2d').getImageData(at[0], at[1], 1, 1).data]", [x, y]
    )


def places(card, count=40):
    box = card.get_by_test_id("grid-canvas").first.bounding_box()
    rng = np.random.default_rng(5)
    return [
        (int(x), int(y))
        for x, y in zip(rng.uniform(1, box["width"] - 2, count), rng.uniform(1, box["height"] - 2, count), strict=True)
    ]


def test_runs_and_layers_are_listed_in_order(board, page):
    tab = open_tab(board, page)
    first_card(tab)
    runs = tab.locator(".runs").inner_text()
    assert re.findall("alpha|beta|hostile", runs) == ["alpha", "beta", "hostile"]
    text = tab.locator(".layers").inner_text()
    assert re.findall(r"(\w+)/kernel", text.split("<img")[0])[:4] == list(LAYERS)
    assert "Conv2D" in text
    assert "16 filters" in text
    assert tab.locator(".card").count() == 2


def test_a_filter_of_runs(board, page):
    tab = open_tab(board, page)
    first_card(tab)
    tab.get_by_placeholder("Filter runs (regex)").fill("^be")
    expect(tab.locator(".runs").get_by_text("alpha")).to_have_count(0)
    expect(tab.locator(".card")).to_have_count(1)


@pytest.mark.parametrize("layer", LAYERS)
def test_every_picture_shows_the_logged_weights(board, page, layer):
    """What the pointer reads is what was logged, and positive is red, negative blue."""
    tab = open_tab(board, page, layer=layer_key(f"{layer}/kernel"), input=1, map="bluered", scale="layer", step=1)
    card = painted(first_card(tab))
    expect(card).to_contain_text("Step 1")
    kernel = values(layer, 1).astype(np.float16)
    checked = 0
    for x, y in places(card):
        found = read(card, page, x, y)
        if found is None:  # between two tiles
            continue
        o, i, spatial, value = found
        assert i == 1
        spatial = spatial[-(kernel.ndim - 2) :]  # a kernel of one spatial axis has one row
        expected = float(kernel[(*spatial, i, o)])
        if np.isnan(expected):
            continue
        assert value == pytest.approx(expected, rel=2e-3)
        red, _, blue, _ = pixel(card, x, y)
        if abs(value) > 0.2:
            assert (red > blue) == (value > 0)
        checked += 1
    assert checked > 15


def test_grey_rises_with_the_weight(board, page):
    tab = open_tab(board, page, layer=layer_key("conv2/kernel"), input=3, map="grey", scale="layer")
    card = painted(first_card(tab))
    pairs = []
    for x, y in places(card, 60):
        found = read(card, page, x, y)
        if found:
            pairs.append((found[3], pixel(card, x, y)[1]))
    pairs = np.array(sorted(pair for pair in pairs if np.isfinite(pair[0])))
    assert len(pairs) > 20
    assert (np.diff(pairs[:, 1]) >= -1).all()
    assert np.ptp(pairs[:, 1]) > 60


def test_not_a_number_is_counted(board, page):
    tab = open_tab(board, page, layer=layer_key("conv2/kernel"), input=0)
    card = first_card(tab)
    expect(card.get_by_test_id("nonfinite")).to_contain_text("1")


def test_rgb_of_a_first_layer(board, page):
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), input="rgb", scale="layer", run="alpha", step=0)
    card = painted(first_card(tab))
    kernel = values("conv1", 0).astype(np.float16).astype(np.float64)
    limit = np.abs(kernel).max()
    checked = 0
    for x, y in places(card, 30):
        words = r"filter (\d+).*?row (\d+), column (\d+)"
        found = said_of(card, page, x, y, words)
        if found:
            o, row, column = map(int, found.groups())
            expected = 127.5 + 127.5 * kernel[row, column, :, o] / limit
            np.testing.assert_allclose(pixel(card, x, y)[:3], expected, atol=2)
            checked += 1
    assert checked > 10


def test_a_click_opens_a_filter_and_escape_closes_it(board, page):
    tab = open_tab(board, page, layer=layer_key("conv2/kernel"), run="alpha", step=0)
    card = painted(first_card(tab))
    box = card.get_by_test_id("grid-canvas").bounding_box()
    opened = read(card, page, 20, 20)[0]
    page.mouse.click(box["x"] + 20, box["y"] + 20)
    detail = tab.locator(".detail")
    expect(detail).to_have_attribute("data-filter", str(opened))
    weights = values("conv2", 0)[..., opened].astype(np.float64)
    numbers = tab.get_by_test_id("numbers").inner_text().replace("\N{MINUS SIGN}", "-")
    shown = {line.split("\t")[0]: line.split("\t")[-1] for line in numbers.splitlines() if "\t" in line}
    assert float(shown["L2 norm"]) == pytest.approx(np.linalg.norm(weights), rel=1e-3)
    assert float(shown["Minimum"]) == pytest.approx(weights.min(), rel=1e-3)
    assert float(shown["Maximum"]) == pytest.approx(weights.max(), rel=1e-3)
    assert float(shown["Std. deviation"]) == pytest.approx(weights.std(), rel=1e-3)
    expect(page).to_have_url(re.compile(rf"p\.filterviz\.filter={opened}\b"))
    page.keyboard.press("Escape")
    expect(detail).to_have_count(0)
    expect(page).not_to_have_url(re.compile(r"p\.filterviz\.filter="))


def test_the_keyboard_alone(board, page):
    tab = open_tab(board, page, layer=layer_key("conv2/kernel"), run="alpha")
    first_card(tab)
    grid = tab.get_by_test_id("mosaic").first
    grid.focus()
    for key in ("Home", "ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(tab.locator(".detail")).to_have_attribute("data-filter", "2")
    page.keyboard.press("Escape")
    expect(tab.locator(".steps .value")).to_contain_text("2")
    page.keyboard.press("[")
    expect(tab.locator(".steps .value")).to_contain_text("1")
    page.keyboard.press("]")
    expect(tab.locator(".steps .value")).to_contain_text("2")


def test_a_deep_link_opens_the_same_view_again(board, page):
    picks = {"layer": layer_key("conv2/kernel"), "run": "beta", "step": 1, "filter": 7, "map": "grey"}
    tab = open_tab(board, page, **picks)
    expect(tab.locator(".detail")).to_have_attribute("data-filter", "7", timeout=20 * SECONDS)
    assert tab.locator(".card").first.get_attribute("data-run") == "beta"
    page.reload()
    expect(tab.locator(".detail")).to_have_attribute("data-filter", "7", timeout=20 * SECONDS)
    expect(tab.locator(".steps .value")).to_contain_text("1")


def test_patterns_with_the_activation_reached(board, page):
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), kind="patterns", run="alpha")
    patterns = tab.get_by_test_id("patterns")
    expect(patterns).to_be_visible(timeout=20 * SECONDS)
    expect(patterns).to_contain_text("2.5 at spots")
    expect(patterns).not_to_contain_text("4.5 at spots")
    expect(patterns).to_contain_text("failed")
    reds = patterns.locator("canvas").first.evaluate(
        """canvas => {
          const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          let reds = 0;
          for (let i = 0; i < data.length; i += 4) reds += data[i] === 255 && data[i + 1] === 0 && data[i + 2] === 0;
          return reds;
        }"""
    )
    assert reds > 100


def test_hostile_names_are_shown_as_they_are(board, page):
    tab = open_tab(board, page, layer=layer_key(HOSTILE, HOSTILE))
    card = first_card(tab)
    expect(card).to_contain_text(HOSTILE)
    expect(tab.locator(".layers")).to_contain_text(HOSTILE)
    assert page.title() != "pwned"


def test_dark_mode(board, page):
    tab = open_tab(board, page)
    first_card(tab)
    assert brightness(page) > 240
    page.evaluate("() => document.body.classList.add('dark-mode')")
    expect(tab.locator(":root")).to_have_class("dark")
    assert brightness(page) < 70


def brightness(page):
    """Of a place below the cards, where there is only background."""
    picture = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("L")
    return picture.getpixel((420, 790))
