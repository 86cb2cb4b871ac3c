"""Kernels and patterns together, their order, the detail's use of the window, and layers of a single step."""

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import values
from tests.e2e.test_tab import SECONDS, layer_key, open_tab


def filters_shown(tab):
    options = tab.get_by_test_id("patterns").get_by_role("option")
    return [int(options.nth(at).get_attribute("data-filter")) for at in range(options.count())]


def test_a_pattern_under_its_kernel_by_activation(board, page):
    picks = {"kind": "both", "sort": "reached", "input": 1, "step": 2, "map": "grey", "scale": "layer"}
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha", **picks)
    kernels = tab.get_by_role("img", name="kernel of filter")
    expect(kernels).to_have_count(4, timeout=20 * SECONDS)
    assert filters_shown(tab) == [3, 2, 1, 0]  # reached 6.5, 4.5, 2.5 and 0.5
    kernel = values("conv1", 2).astype(np.float16).astype(np.float64)
    limit = np.abs(kernel).max()
    for at, filter_ in enumerate([3, 2, 1, 0]):
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
    assert filters_shown(tab) == [2, 1]


def test_patterns_by_the_norm_of_their_filters(board, page):
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha", kind="patterns", sort="norm")
    expect(tab.get_by_test_id("patterns")).to_be_visible(timeout=20 * SECONDS)
    norms = np.linalg.norm(values("conv1", 2).reshape(-1, 16), axis=0)[:4]
    expect(tab.get_by_test_id("patterns").get_by_role("option").first).to_have_attribute(
        "data-filter", str(norms.argmax())
    )
    assert filters_shown(tab) == np.argsort(-norms).tolist()


@pytest.mark.parametrize("width", [1400, 700])
def test_the_detail_uses_the_window(board, page, width):
    page.set_viewport_size({"width": width, "height": 900})
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha", filter=3)
    expect(tab.get_by_test_id("history")).to_be_visible(timeout=20 * SECONDS)
    expect(tab.get_by_test_id("nearest")).to_be_visible()
    expect(tab.get_by_test_id("numbers")).to_be_visible()
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
