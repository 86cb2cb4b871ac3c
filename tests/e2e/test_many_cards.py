"""A list of cards that is longer than the window, and patterns of which no kernel was logged."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import kernel_event, pattern_event, values
from tests.e2e.test_grid_and_detail import expect_filters
from tests.e2e.test_tab import SECONDS, first_card, layer_key, open_tab, painted
from tests.support import logs, server

RUNS = 12


@pytest.fixture(scope="module")
def many_board(tmp_path_factory):
    directory = tmp_path_factory.mktemp("many")
    for run in range(RUNS):
        events = [kernel_event("cnn", "conv1/kernel", 0, step, values("conv1", step)) for step in (0, 1)]
        logs.write_file(directory / f"run{run:02}" / "events.out.tfevents.1.host", events)
    only = [pattern_event("cnn", "patterns_only/kernel", 0, objective="distinct")]
    logs.write_file(directory / "with_patterns" / "events.out.tfevents.1.host", only)
    with server.serve(directory, "true") as board:
        board.index_when(lambda index: len(server.steps(index)) == RUNS + 1)
        yield board


@pytest.mark.parametrize(
    ("picks", "last"),
    [
        ({}, "[data-testid=grid-canvas]"),
        ({"view": "overview"}, "[data-testid=basis]"),
        ({"view": "compare"}, "section:last-child > .mosaic"),
        ({"filter": 1}, ".history .plot + .plot"),
    ],
)
def test_long_names_leave_everything_in_the_window(page, tmp_path, picks, last):
    path = "encoder/stage_3/residual_block_with_attention_12/branch_a/pointwise_kernel"
    for run in ("a" * 80, "short"):
        events = [kernel_event("cnn", path, 0, step, values("conv1", 0)) for step in (1_000_000, 2_000_000)]
        logs.write_file(tmp_path / run / "events.out.tfevents.1.host", events)
    page.set_viewport_size({"width": 700, "height": 800})
    with server.serve(tmp_path, "true") as board:
        board.index_when(lambda index: len(server.steps(index)) == 2)
        tab = open_tab(board, page, **picks)
        expect(tab.locator(f"main {last}").last).to_be_visible(timeout=20 * SECONDS)
        # Menus that are closed have buttons, too.
        shown = tab.locator("main :is(select, button, h2, h3, header i)").filter(visible=True).all()
        assert len(shown) > 8
        for one in shown:
            box = one.bounding_box()
            assert box["x"] + box["width"] <= 700, one.inner_text()
            assert box["height"] < 40, one.inner_text()
        page.goto("about:blank")


def heights(card):
    return np.array([card.get_by_test_id("grid-canvas").evaluate("canvas => [canvas.height, canvas.clientHeight]")])


def test_cards_out_of_sight_are_drawn_when_they_come_into_sight(many_board, page):
    asked = []
    page.on("request", lambda request: asked.extend(re.findall(r"(?:kernels|analysis)\?run=(\w+)", request.url)))
    page.set_viewport_size({"width": 1400, "height": 800})
    tab = open_tab(many_board, page, layer=layer_key("conv1/kernel"), input=1, tile=24)
    first = first_card(tab)
    cards = tab.locator(".card")
    expect(cards).to_have_count(RUNS)
    last = cards.last
    expect(last).to_have_attribute("data-run", f"run{RUNS - 1:02}")
    expect(last.get_by_test_id("mosaic")).to_have_count(0)
    assert "run00" in asked
    assert f"run{RUNS - 1:02}" not in asked

    last.scroll_into_view_if_needed()
    expect(last.get_by_test_id("grid-canvas")).to_be_visible(timeout=20 * SECONDS)
    small = heights(painted(last))
    assert small[0, 0] == small[0, 1]

    # What changes while a card is out of sight is seen when it is back.
    first.scroll_into_view_if_needed()
    expect(first).to_be_in_viewport()
    expect(last).not_to_be_in_viewport()
    tab.get_by_test_id("tile-size").fill("72")
    tab.locator(".steps").locator("input").fill("0")
    expect(first.get_by_text("Step 0")).to_be_visible()
    wanted = heights(painted(first))
    assert (wanted > 2 * small).all()
    assert (heights(last) == small).all()
    assert last.get_by_text("Step 1").count() == 1
    last.scroll_into_view_if_needed()
    expect(last.get_by_text("Step 0")).to_be_visible()
    assert (heights(last) == wanted).all()


def test_patterns_without_a_kernel_by_activation(many_board, page):
    tab = open_tab(many_board, page, layer=layer_key("patterns_only/kernel"), sort="reached")
    expect(tab.get_by_test_id("pattern")).to_have_count(4, timeout=20 * SECONDS)
    expect_filters(tab, [3, 2, 1, 0])  # reached 6.5, 4.5, 2.5 and 0.5
    expect(tab.get_by_test_id("patterns")).to_contain_text("4.5 \N{GREEK SMALL LETTER SIGMA}")
    expect(tab.locator(".legend").last).to_contain_text("its lead over all others")
    expect(tab.locator(".legend").last).to_contain_text("1 failed: no better than noise or others")
    tab.get_by_test_id("find").fill("1-2")
    expect(tab.get_by_test_id("pattern")).to_have_count(2)
    expect_filters(tab, [2, 1])
    tab.get_by_role("button", name="Export").click()
    link = tab.get_by_role("dialog", name="Export").get_by_role("link", name="png").first
    assert re.search(r"filters=2%2C1\b", link.get_attribute("href"))
