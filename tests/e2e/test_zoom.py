"""The wheel and keys make pictures larger around the pointer and the tile of the focus."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.e2e.test_tab import SECONDS, first_card, layer_key, open_tab, painted, read


def test_the_wheel_and_keys_make_a_mosaic_larger_around_a_place(board, page):
    page.set_viewport_size({"width": 700, "height": 800})
    tab = open_tab(board, page, layer=layer_key("conv2/kernel"), run="alpha", input="all", zoom=48)
    card = painted(first_card(tab))
    box = card.get_by_test_id("mosaic").bounding_box()
    place = (round(box["width"] * 0.6), round(box["height"] * 0.7))
    pointed = read(card, page, *place)
    page.keyboard.down("Control")
    for _ in range(3):  # 48, 60, 75, 94 pixels
        width = canvas_width(card)
        page.mouse.wheel(0, -100)
        expect(card.locator(".whole")).not_to_have_css("width", width)
    page.keyboard.up("Control")
    expect(page).to_have_url(re.compile("p.filterviz.zoom=9[0-6]"))
    assert read(card, page, *place)[:2] == pointed[:2]
    card.get_by_test_id("mosaic").focus()
    for key in "--":
        page.keyboard.press(key)
    expect(page).to_have_url(re.compile("p.filterviz.zoom=5[0-9]"))
    page.keyboard.press("+")
    expect(page).to_have_url(re.compile("p.filterviz.zoom=6[0-9]"))


def place_of_focus(picture):
    """Where the middle of what has the focus lies in its picture."""
    box, around = picture.locator(".cursor, .at").bounding_box(), picture.bounding_box()
    return np.array([box["x"] + box["width"] / 2 - around["x"], box["y"] + box["height"] / 2 - around["y"]])


@pytest.mark.parametrize("sizes", [{"input": "all", "zoom": 48}, {"input": 0, "tile": 60}])
def test_keys_zoom_around_the_tile_of_the_focus(board, page, sizes):
    page.set_viewport_size({"width": 700, "height": 500})
    tab = open_tab(board, page, layer=layer_key("conv2/kernel"), run="alpha", **sizes)
    mosaic = painted(first_card(tab)).get_by_test_id("mosaic")
    mosaic.focus()
    for key in ["Home", "ArrowRight", "ArrowRight", *["ArrowDown"] * 2 * (1 + ("zoom" in sizes) * 5)]:
        page.keyboard.press(key)
    before, named = place_of_focus(mosaic), mosaic.locator(".cursor").get_attribute("aria-label")
    box = mosaic.locator(".cursor").bounding_box()
    for key in ("+", "", "+"):  # one whose name the browser does not tell
        mosaic.dispatch_event("keydown", {"key": key})
    expect(page).to_have_url(re.compile("p.filterviz.(zoom=7[0-9]|tile=9[0-9])"))
    assert mosaic.locator(".cursor").bounding_box()["width"] > 1.3 * box["width"]
    assert mosaic.locator(".cursor").get_attribute("aria-label") == named
    assert abs(place_of_focus(mosaic) - before)[1] < 10
    if "zoom" in sizes:  # tiles that need not stand in the same column
        assert abs(place_of_focus(mosaic) - before)[0] < 10


@pytest.mark.parametrize("kind", ["patterns", "both"])
def test_the_wheel_and_keys_make_patterns_larger_around_a_place(board, page, kind):
    page.set_viewport_size({"width": 700, "height": 560})
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha", kind=kind, tile=160)
    patterns = tab.get_by_test_id("patterns")
    picture = patterns.get_by_test_id("pattern").last
    expect(picture).to_have_css("width", "160px", timeout=20 * SECONDS)
    patterns.focus()
    page.keyboard.press("End")
    before = place_of_focus(patterns)
    page.keyboard.press("+")
    expect(picture).to_have_css("width", "200px")
    expect(page).to_have_url(re.compile("p.filterviz.tile=200"))
    assert abs(place_of_focus(patterns) - before)[1] < 60
    expect(picture).to_be_in_viewport()
    for width in (150, 113):
        page.keyboard.press("-")
        expect(picture).to_have_css("width", f"{width}px")
    picture.hover()
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    expect(picture).to_have_css("width", "142px")
    page.mouse.wheel(0, 100)
    expect(picture).to_have_css("width", "107px")
    page.keyboard.up("Control")


def canvas_width(card):
    return card.locator(".whole").evaluate("whole => getComputedStyle(whole).width")
