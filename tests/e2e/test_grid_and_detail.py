"""Kernels and patterns together, their order and marks, the way between filters, the views' use of the window."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import kernel_event, pattern_event, values
from tests.e2e.test_states import hold
from tests.e2e.test_tab import SECONDS, drawn_on, first_card, layer_key, open_tab, painted
from tests.support import logs, server


def expect_filters(tab, order):
    """Waits for patterns of these filters: they are by index until the numbers for another order are there."""
    options = tab.get_by_test_id("patterns").get_by_role("option")
    expect(options).to_have_count(len(order), timeout=20 * SECONDS)
    for at, filter_ in enumerate(order):
        expect(options.nth(at)).to_have_attribute("data-filter", str(filter_), timeout=20 * SECONDS)


def test_a_pattern_under_its_kernel_by_activation(board, page):
    picks = {"kind": "both", "sort": "reached", "input": 1, "step": 2, "map": "grey", "scale": "layer"}
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha", **picks)
    kernels = tab.get_by_role("img", name="kernel of filter")
    expect(kernels).to_have_count(4, timeout=20 * SECONDS)
    expect_filters(tab, [3, 2, 1, 0])  # reached 6.5, 4.5, 2.5 and 0.5
    kernel = values("conv1", 2).astype(np.float16).astype(np.float64)
    limit = np.abs(kernel).max()
    for at, filter_ in enumerate([3, 2, 1, 0]):
        drawn_on(kernels.nth(at))
        middles = kernels.nth(at).evaluate(
            """canvas => {
              const side = canvas.width / 3, context = canvas.getContext('2d');
              return [0, 1, 2].map(row => [0, 1, 2].map(
                column => context.getImageData((column + .5) * side, (row + .5) * side, 1, 1).data[0]));
            }"""
        )
        np.testing.assert_allclose(middles, 127.5 + 127.5 * kernel[:, :, 1, filter_] / limit, atol=2)
        above, below = kernels.nth(at).bounding_box(), tab.get_by_test_id("pattern").nth(at).bounding_box()
        assert above["y"] + above["height"] <= below["y"] + 1
        assert abs(above["x"] - below["x"]) < 4
    tab.get_by_test_id("find").fill("1-2")
    expect(kernels).to_have_count(2)
    expect_filters(tab, [2, 1])
    expect(tab.get_by_test_id("found")).to_have_text("2 of 4 patterns")
    tab.get_by_test_id("find").fill("7")
    expect(tab.get_by_test_id("found")).to_have_text("0 of 4 patterns")


def test_patterns_do_not_move_when_their_kernels_come(board, page):
    release = hold(page, "**/kernels?*")
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha", kind="both")
    last = tab.get_by_test_id("pattern").last
    expect(last).to_be_visible(timeout=20 * SECONDS)
    before = last.bounding_box()
    release()
    drawn_on(tab.get_by_role("img", name="kernel of filter").last)
    assert last.bounding_box() == before


def test_patterns_by_the_norm_of_their_filters(board, page):
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha", kind="patterns", sort="norm")
    norms = np.linalg.norm(values("conv1", 2).reshape(-1, 16), axis=0)[:4]
    assert np.argsort(-norms).tolist() != list(range(4))
    expect_filters(tab, np.argsort(-norms).tolist())


@pytest.mark.parametrize("width", [1400, 700])
def test_the_detail_uses_the_window(board, page, width):
    page.set_viewport_size({"width": width, "height": 900})
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha", filter=3)
    expect(tab.get_by_test_id("history")).to_be_visible(timeout=20 * SECONDS)
    expect(tab.get_by_test_id("nearest")).to_be_visible()
    expect(tab.get_by_test_id("numbers")).to_be_visible()
    expect(tab.get_by_test_id("pattern")).to_be_visible()
    names = ("mosaic", "pattern", "nearest", "numbers", "history")
    boxes = {name: tab.get_by_test_id(name).first.bounding_box() for name in names}
    card = tab.locator(".card").bounding_box()
    for name, box in boxes.items():
        assert card["x"] <= box["x"], name
        assert box["x"] + box["width"] <= card["x"] + card["width"], name
    pairs = [(one, other) for at, one in enumerate(names) for other in names[at + 1 :]]
    assert [pair for pair in pairs if overlap(boxes[pair[0]], boxes[pair[1]])] == []
    if width == 1400:  # all of it is seen at once
        assert max(box["y"] + box["height"] for box in boxes.values()) <= 900
        assert boxes["numbers"]["y"] < boxes["mosaic"]["y"] + 60
    assert "0 is unchanged" in tab.locator("[data-name=change]").locator("xpath=..").get_attribute("title")


def test_the_detail_draws_the_climb_of_a_pattern(board, page):
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha", filter=2)
    plot = tab.get_by_role("img", name="Climb over 3 steps, from 2 to 7, at last 4.5")
    expect(plot).to_be_visible(timeout=20 * SECONDS)
    points = plot.locator("polyline").get_attribute("points")
    x, y = np.array([point.split(",") for point in points.split()], float).T
    curve = np.array([2, 7, 4.5])
    np.testing.assert_allclose((x - x[0]) / (x[-1] - x[0]), [0, 0.5, 1], atol=0.01)
    np.testing.assert_allclose((y[0] - y) / (y[0] - y[1]), (curve - curve[0]) / (curve[1] - curve[0]), atol=0.01)


def overlap(one, other):
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in (("x", "width"), ("y", "height"))
    )


def test_the_overview_names_its_run_once_and_plots_nothing_of_a_single_step(board, page):
    tab = open_tab(board, page, view="overview", main="hostile")
    expect(tab.locator(".badges")).to_have_count(1, timeout=20 * SECONDS)
    expect(tab.locator(".plot")).to_have_count(0)
    expect(tab.get_by_test_id("overview").locator(".run")).to_have_count(0)
    expect(tab.get_by_label("Run of the overview")).to_have_value("hostile")


@pytest.mark.parametrize("kind", ["patterns", "both"])
def test_patterns_are_marked_for_a_comparison_of_their_kernels(board, page, kind):
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha", kind=kind)
    options = tab.get_by_test_id("patterns").get_by_role("option")
    options.nth(2).click(modifiers=["Control"])
    tab.get_by_test_id("patterns").focus()
    for key in ("Home", " "):
        page.keyboard.press(key)
    expect(tab.get_by_test_id("marked")).to_contain_text("2 filters marked: 2, 0")
    marked = [options.nth(at).get_attribute("aria-selected") for at in range(4)]
    assert marked == ["true", "false", "true", "false"]
    # The mark is seen beside the line around what has the focus.
    expect(options.nth(0)).to_have_css("outline-style", "dashed")
    expect(options.nth(0).locator("canvas").last).to_have_css("outline-style", "solid")
    expect(options.nth(1)).to_have_css("outline-style", "none")
    tab.get_by_test_id("marked").get_by_role("button", name="Compare").click()
    expect(tab.locator(".beside [data-pair='0,2']")).to_be_visible(timeout=20 * SECONDS)


def test_keys_turn_to_the_next_filter_and_stop_at_the_last(board, page):
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha", filter=14)
    tab.get_by_test_id("mosaic").focus(timeout=20 * SECONDS)
    detail = tab.locator(".detail")
    for key, filter_ in (("n", 15), ("n", 15), ("p", 14), ("p", 13)):
        page.keyboard.press(key)
        expect(detail).to_have_attribute("data-filter", str(filter_))


def test_an_opened_filter_turns_to_the_next_of_the_grid(board, page):
    norms = np.linalg.norm(values("conv1", 2).reshape(-1, 16), axis=0)
    first, second, third = (o for o in np.argsort(-norms) if o in (2, 5, 11))
    picks = {"sort": "norm", "find": "2, 5, 11", "filter": second}
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha", step=2, **picks)
    expect(tab.get_by_text(f"Filter {second} · 2 of 3")).to_be_visible(timeout=20 * SECONDS)
    detail = tab.locator(".detail")
    tab.get_by_label("next filter").click()
    expect(detail).to_have_attribute("data-filter", str(third))
    expect(tab.get_by_label("next filter")).to_be_disabled()
    for filter_ in (second, first):
        tab.get_by_label("previous filter").click()
        expect(detail).to_have_attribute("data-filter", str(filter_))
    expect(tab.get_by_label("previous filter")).to_be_disabled()


def filter_opened(tab, filter_, place):
    """Waits for a filter and what the bar above it says of its place."""
    expect(tab.locator(".detail")).to_have_attribute("data-filter", str(filter_), timeout=20 * SECONDS)
    expect(tab.locator(".bar-above > span").last).to_have_text(f"Filter {filter_}{place}")


@pytest.mark.parametrize("kind", ["patterns", "both"])
def test_from_a_grid_of_patterns_only_filters_with_a_pattern_are_turned_to(board, page, kind):
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha", kind=kind, filter=2)
    filter_opened(tab, 2, " · 3 of 4")
    tab.get_by_test_id("mosaic").focus()
    expect(tab.get_by_label("next filter")).to_be_enabled()
    for key, filter_ in (("n", 3), ("n", 3), ("p", 2)):
        page.keyboard.press(key)
        filter_opened(tab, filter_, f" · {filter_ + 1} of 4")


def test_an_earlier_step_has_fewer_patterns_than_the_newest(page, tmp_path):
    events = [pattern_event("cnn", "conv/kernel", step, count) for step, count in ((0, 2), (1, 4))]
    kernel = np.ones((3, 3, 1, 4), np.float32)
    events += [kernel_event("cnn", "conv/kernel", 0, step, kernel) for step in (0, 1)]
    logs.write_file(tmp_path / "run" / "events.out.tfevents.1.host", events)
    with server.serve(tmp_path, "true") as board:
        board.index_when(lambda index: len(server.steps(index)) == 2)
        for step, place in ((1, " of 4"), (0, " · 2 of 2")):
            tab = open_tab(board, page, layer=layer_key("conv/kernel"), kind="patterns", step=step, filter=1)
            filter_opened(tab, 1, place)
            page.goto("about:blank")


@pytest.mark.parametrize(
    ("picks", "before", "after"),
    [
        ({"find": "2, 5, 11"}, 5, 11),
        ({"find": "2, 5"}, 5, None),
        ({"find": "11"}, None, 11),
        ({"kind": "both"}, 3, None),
    ],
)
def test_a_filter_that_is_not_in_the_grid_has_no_place_and_neighbours(board, page, picks, before, after):
    for name, to in (("previous", before), ("next", after)):
        tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha", filter=7, **picks)
        filter_opened(tab, 7, "")
        button = tab.get_by_label(f"{name} filter")
        if to is None:
            expect(button).to_be_disabled()
        else:
            button.click()
            expect(tab.locator(".detail")).to_have_attribute("data-filter", str(to))
        page.goto("about:blank")


def test_without_an_order_an_opened_filter_asks_for_none(board, page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha", filter=3)
    filter_opened(tab, 3, " of 16")
    expect(tab.get_by_test_id("numbers")).to_be_visible()
    expect(tab.get_by_test_id("pattern")).to_be_visible()
    assert [url for url in asked if "/analysis?" in url and "depth=full" not in url] == []
    assert [url for url in asked if "/patterns?" in url and "filters=all" in url] == []


def test_the_way_back_from_any_filter_leads_to_the_grid(board, page):
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha")
    card = painted(first_card(tab))
    entries = page.evaluate("history.length")
    card.get_by_test_id("mosaic").focus()
    for key in ("Home", "Enter", "n", "n", "n"):
        page.keyboard.press(key)
    expect(tab.locator(".detail")).to_have_attribute("data-filter", "3")
    expect(page).to_have_url(re.compile("p.filterviz.filter=3"))
    assert page.evaluate("history.length") == entries + 1
    page.go_back()
    expect(tab.locator(".detail")).to_have_count(0)
    expect(first_card(tab)).to_be_visible()
    page.go_forward()
    expect(tab.locator(".detail")).to_have_attribute("data-filter", "3")


def test_the_way_back_to_a_filter_leads_to_the_one_seen_last(board, page):
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha")
    mosaic = painted(first_card(tab)).get_by_test_id("mosaic")
    for key in ("Home", "ArrowRight", "ArrowRight", "ArrowRight"):
        mosaic.press(key)
    # In less time than passes between two writes of the address.
    mosaic.evaluate(
        """async mosaic => {
          for (const key of ['Enter', 'n', 'Escape']) {
            const focused = mosaic.isConnected ? mosaic : document.body;
            focused.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
            await new Promise(requestAnimationFrame);
          }
        }"""
    )
    expect(tab.locator(".detail")).to_have_count(0)
    expect(first_card(tab)).to_be_visible()
    page.go_back()
    expect(tab.locator(".detail")).to_have_attribute("data-filter", "4")


@pytest.mark.parametrize("width", [1400, 1100, 700])
@pytest.mark.parametrize("picks", [{}, {"filter": 3}, {"kind": "both"}, {"view": "compare"}, {"view": "overview"}])
def test_the_bar_of_tools_has_a_slider_to_grasp_and_no_button_alone(board, page, width, picks):
    page.set_viewport_size({"width": width, "height": 800})
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha", **picks)
    slider = tab.locator(".steps input")
    expect(slider).to_be_visible(timeout=20 * SECONDS)
    boxes = [slider, tab.get_by_role("button", name="Export"), tab.get_by_role("button", name="Settings", exact=True)]
    slider, *buttons = (one.bounding_box() for one in boxes)
    assert slider["width"] >= 60
    assert [box["y"] < slider["y"] + slider["height"] <= box["y"] + box["height"] for box in buttons] == [True, True]
    bar = tab.locator(".toolbar").bounding_box()
    assert buttons[1]["x"] + buttons[1]["width"] <= bar["x"] + bar["width"]


def test_settings_take_no_room_from_pictures_in_a_narrow_window(board, page):
    page.set_viewport_size({"width": 700, "height": 800})
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha")
    card = painted(first_card(tab))
    before = card.bounding_box()
    tab.get_by_role("button", name="Settings").click()
    pane = tab.get_by_role("complementary", name="Settings")
    expect(pane).to_be_visible()
    assert card.bounding_box() == before
    box, bar = pane.bounding_box(), tab.locator(".toolbar").bounding_box()
    assert (box["y"], box["x"] + box["width"]) == (bar["y"] + bar["height"], 700)
    tab.get_by_test_id("map-grey").check()
    tab.get_by_role("button", name="Close settings").click()
    expect(pane).to_have_count(0)


def test_the_bars_of_three_colours_leave_their_ends_readable(board, page):
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha", input="rgb", scale="layer")
    bars = first_card(tab).locator(".bar")
    expect(bars).to_have_count(3)
    end = bars.last.evaluate(
        """bar => {
          const range = document.createRange();
          range.selectNode(bar.nextSibling);
          return range.getBoundingClientRect().left - bar.getBoundingClientRect().right;
        }"""
    )
    assert end >= 4
