"""Two steps, two runs, and some filters of one layer side by side: what is shown against what was logged."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import kernel_event, values
from tests.e2e.test_tab import SECONDS, first_card, layer_key, open_tab, painted, said_of
from tests.support import logs, server


def stored(name, step):
    return values(name, step).astype(np.float16).astype(np.float64)


def norms(kernel):
    return np.linalg.norm(np.nan_to_num(kernel).reshape(-1, kernel.shape[-1]), axis=0)


def relative(before, after):
    return norms(np.nan_to_num(after) - np.nan_to_num(before)) / norms(before)


def numbers(text):
    return [float(one) for one in re.findall(r"-?\d+(?:\.\d+)?(?:e[-+]\d+)?", text.replace("\N{MINUS SIGN}", "-"))]


def open_comparison(board, page, layer, **picks):
    tab = open_tab(board, page, view="compare", layer=layer_key(f"{layer}/kernel"), a="alpha", **picks)
    panels = tab.get_by_test_id("mosaic")
    expect(panels).to_have_count(3, timeout=20 * SECONDS)
    for at in range(3):
        expect(panels.nth(at)).to_have_class("mosaic", timeout=20 * SECONDS)  # without "stale": in its order
        painted(panels.nth(at))
    return tab


def point(tab, page, panel, x, y):
    """Points at a place of one of the three pictures; returns its numbers as the tab reads them."""
    place = r"filter (\d+)(?: ← (\d+))?(?: of \d+)?(?:, input (\d+))?.*row (\d+), column (\d+)"
    names = place + r"\s+A (\S+) · B (\S+) · B \N{MINUS SIGN} A (\S+)"
    found = said_of(tab, page, x, y, names, panel)
    assert found, "nothing is said of this place"
    filter_, partner, channel, row, column = (None if one is None else int(one) for one in found.groups()[:5])
    partner = filter_ if partner is None else partner
    return (filter_, partner, channel, row, column), [numbers(one)[0] for one in found.groups()[5:]]


@pytest.mark.parametrize("panel", [0, 1, 2])
def test_two_steps_and_their_difference(board, page, panel):
    tab = open_comparison(board, page, "conv1", b="alpha", stepA=0, input=1)
    before, after = stored("conv1", 0), stored("conv1", 2)
    for x, y in ((10, 10), (60, 30), (10, 90)):
        (o, partner, channel, row, column), read = point(tab, page, panel, x, y)
        assert (o, channel) == (partner, 1)
        one, other = before[row, column, 1, o], after[row, column, 1, o]
        np.testing.assert_allclose(read, [one, other, other - one], atol=2e-3)
    expect(tab.locator(".hover")).to_have_count(3)
    change, cosine = numbers(tab.get_by_test_id("facts").first.inner_text())[:2]
    assert change == pytest.approx(np.linalg.norm(after - before) / np.linalg.norm(before), rel=1e-3)
    assert cosine == pytest.approx((before * after).sum() / np.linalg.norm(before) / np.linalg.norm(after), abs=1e-3)
    limit = numbers(tab.locator(".below > div").last.inner_text())[-1]
    assert limit == pytest.approx(np.abs(after - before)[:, :, 1].max(), rel=1e-3)


def test_the_difference_is_drawn_on_its_own_scale_and_both_sides_on_one(board, page):
    tab = open_comparison(board, page, "conv1", b="alpha", stepA=0, input=0, map="grey", scale="layer")
    before, after = stored("conv1", 0)[:, :, 0], stored("conv1", 2)[:, :, 0]
    shared = max(np.abs(before).max(), np.abs(after).max())
    expected = (before / shared, after / shared, (after - before) / np.abs(after - before).max())
    for panel, scaled in enumerate(expected):
        (o, _, _, row, column), _ = point(tab, page, panel, 20, 20)
        grey = (
            tab.get_by_test_id("grid-canvas")
            .nth(panel)
            .evaluate("canvas => canvas.getContext('2d').getImageData(20, 20, 1, 1).data[0]")
        )
        assert grey == pytest.approx(127.5 + 127.5 * scaled[row, column, o], abs=2)


def test_runs_whose_filters_are_paired_by_likeness(board, page):
    tab = open_comparison(board, page, "conv2", b="beta", stepA=0, stepB=1, input=2)
    expect(tab.get_by_test_id("match")).to_have_value("likeness")
    before, after = stored("conv2", 0), np.nan_to_num(stored("conv2", 1))
    rows = [np.nan_to_num(one).reshape(-1, 24).T for one in (before, after)]
    cosine = (rows[0] / norms(before)[:, None]) @ (rows[1] / norms(after)[:, None]).T
    partners, left = {}, cosine.copy()
    while len(partners) < 24:
        pair = np.unravel_index(np.nanargmax(left), left.shape)
        partners[int(pair[0])] = int(pair[1])
        left[pair[0], :], left[:, pair[1]] = np.nan, np.nan
    seen = [point(tab, page, 1, x, y) for x, y in ((10, 10), (60, 10), (10, 80), (60, 80))]
    for (o, partner, _, row, column), (one, other, _) in seen:
        assert partner == partners[o]
        np.testing.assert_allclose([one, other], [before[row, column, 2, o], after[row, column, 2, partner]], atol=2e-3)
    moved = sum(one != other for one, other in partners.items())
    expect(tab.get_by_test_id("facts").first).to_contain_text(f"24 pairs, {moved} of them with different numbers")
    tab.get_by_test_id("match").select_option("index")
    expect(tab.get_by_test_id("facts").first).to_contain_text("24 pairs, 0 of them with different numbers")
    expect(page).to_have_url(re.compile("p.filterviz.match=index"))


def test_the_largest_change_first_and_a_pair_with_all_its_slices(board, page):
    tab = open_comparison(board, page, "conv2", b="alpha", stepA=0, sort="change", input=0)
    before, after = stored("conv2", 0), stored("conv2", 2)
    change = relative(before, after)
    (o, *_), _ = point(tab, page, 0, 10, 10)
    assert o == change.argmax()
    limit = float(np.sort(change)[11:13].mean())
    tab.get_by_test_id("find").fill(f"change>{limit:.6f}")
    expect(tab.get_by_test_id("pairs")).to_contain_text("12 of 24 filters")
    tab.get_by_test_id("mosaic").first.focus()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    pair = tab.get_by_test_id("pair")
    expect(pair).to_have_attribute("data-filter", str(change.argmax()), timeout=20 * SECONDS)
    rows = [line.split("\t") for line in tab.get_by_test_id("numbers").inner_text().splitlines()]
    shown = {cells[0]: [numbers(one)[0] for one in cells[1:] if numbers(one)] for cells in rows}
    told = numbers(tab.get_by_test_id("facts").nth(1).inner_text())
    assert told[:2] == [o, pytest.approx(change.max(), rel=1e-3)]
    assert shown["L2 norm"] == [pytest.approx(norms(side)[o], rel=1e-3) for side in (before, after)]
    expect(pair.get_by_test_id("mosaic").last).to_have_class("mosaic", timeout=20 * SECONDS)
    (_, _, channel, row, column), (one, other, _) = point(tab, page, 2, 10, 10)
    np.testing.assert_allclose([one, other], [side[row, column, channel, o] for side in (before, after)], atol=2e-3)
    page.keyboard.press("Escape")
    expect(pair).to_have_count(0)
    expect(tab.get_by_test_id("mosaic").first).to_be_focused()


@pytest.mark.parametrize("picks", [{"kind": "both"}, {"kind": "patterns"}, {"sort": "similar"}, {"sort": "reached"}])
def test_an_opened_pair_turns_to_the_next_though_the_layer_shows_others(board, page, picks):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    tab = open_tab(board, page, view="compare", layer=layer_key("conv1/kernel"), a="alpha", filter=3, **picks)
    pair, bar = tab.get_by_test_id("pair"), tab.locator(".bar-above > span").last
    expect(pair).to_have_attribute("data-filter", "3", timeout=20 * SECONDS)
    expect(bar).to_have_text("Filter 3 of 16")
    for name, filter_ in (("next", 4), ("next", 5), ("previous", 4)):
        tab.get_by_label(f"{name} filter").click()
        expect(pair).to_have_attribute("data-filter", str(filter_))
        expect(bar).to_have_text(f"Filter {filter_} of 16")
    assert [url for url in asked if "/patterns?" in url] == []


@pytest.mark.parametrize("picks", [{"sort": "change"}, {"sort": "norm", "find": "change<9"}])
def test_an_opened_pair_turns_to_the_next_of_the_pairs(board, page, picks):
    before, after = stored("conv1", 1), stored("conv1", 2)
    changes = relative(before, after)
    limit = float(np.sort(changes)[9:11].mean())
    if "find" in picks:
        picks = {**picks, "find": f"change<{limit:.6f}"}
    order = [o for o in np.argsort(-(changes if picks["sort"] == "change" else norms(before)))]
    if "find" in picks:
        order = [o for o in order if changes[o] < limit]
    sides = {"a": "alpha", "b": "alpha", "stepA": 1, "filter": order[2]}
    tab = open_tab(board, page, view="compare", layer=layer_key("conv1/kernel"), **sides, **picks)
    pair, bar = tab.get_by_test_id("pair"), tab.locator(".bar-above > span").last
    for name, place in ((None, 2), ("next", 3), ("next", 4), ("previous", 3)):
        if name:
            tab.get_by_label(f"{name} filter").click()
        expect(pair).to_have_attribute("data-filter", str(order[place]), timeout=20 * SECONDS)
        expect(bar).to_have_text(f"Filter {order[place]} · {place + 1} of {len(order)}")


def test_pins_the_slider_and_swapping(board, page):
    tab = open_comparison(board, page, "conv1", b="beta")
    for side in "AB":
        expect(tab.get_by_test_id(f"step-{side}")).to_have_text("2")
    tab.get_by_test_id("mosaic").first.press("[")
    for side in "AB":
        expect(tab.get_by_test_id(f"step-{side}")).to_have_text("1")
    tab.get_by_test_id("pin-A").click()
    page.keyboard.press("[")
    expect(tab.get_by_test_id("step-A")).to_have_value("1")
    expect(tab.get_by_test_id("step-B")).to_have_text("0")
    page.keyboard.press("x")
    expect(tab.get_by_test_id("run-A")).to_have_value("beta")
    expect(tab.get_by_test_id("step-B")).to_have_value("1")
    expect(page).to_have_url(re.compile("p.filterviz.a=beta"))
    page.reload()
    expect(tab.get_by_test_id("run-A")).to_have_value("beta", timeout=20 * SECONDS)
    expect(tab.get_by_test_id("step-B")).to_have_value("1")
    expect(tab.get_by_test_id("step-A")).to_have_text("0")


def test_opened_from_a_layer(board, page):
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha")
    first_card(tab).get_by_test_id("compare-with").select_option("first")
    expect(tab.get_by_test_id("step-A")).to_have_value("0", timeout=20 * SECONDS)
    expect(tab.get_by_test_id("run-B")).to_have_value("alpha")
    page.go_back()
    first_card(tab).get_by_test_id("compare-with").select_option("=beta")
    expect(tab.get_by_test_id("run-B")).to_have_value("beta", timeout=20 * SECONDS)


def test_marked_filters_side_by_side(board, page):
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha", step=0, input=0)
    box = first_card(tab).get_by_test_id("grid-canvas").bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.keyboard.down("Control")
    page.mouse.click(box["x"] + 10, box["y"] + 10)
    page.keyboard.up("Control")
    for key in ("Home", "ArrowRight", "ArrowRight", "ArrowRight", " ", "ArrowRight", " ", " "):
        tab.get_by_test_id("mosaic").press(key)
    expect(tab.get_by_test_id("marked")).to_contain_text("2 filters marked: 0, 3")
    expect(tab.locator(".marked")).to_have_count(2)
    tab.get_by_test_id("marked").get_by_role("button", name="Compare").click()
    beside = tab.locator(".beside")
    kernel = stored("conv1", 0).reshape(-1, 16)
    cosine = kernel[:, 0] @ kernel[:, 3] / np.linalg.norm(kernel[:, 0]) / np.linalg.norm(kernel[:, 3])
    cell = beside.locator("[data-pair='0,3']")
    expect(cell).to_be_visible(timeout=20 * SECONDS)
    assert numbers(cell.inner_text())[0] == pytest.approx(cosine, abs=1e-3)
    expect(page).to_have_url(re.compile("p.filterviz.marked=0%2C3"))


def test_what_cannot_be_compared(board, page):
    tab = open_tab(board, page, view="compare", layer=layer_key("conv1/kernel"), a="gone", b="beta")
    expect(tab.get_by_role("alert")).to_contain_text("There is no run “gone” with this layer", timeout=20 * SECONDS)
    tab = open_tab(board, page, view="compare", layer=layer_key("conv1/kernel"), a="alpha", stepA=-5)
    expect(tab.get_by_role("alert")).to_contain_text("Nothing was logged up to this step in A")


def test_a_kernel_against_itself_is_said_to_be_so(board, page):
    tab = open_comparison(board, page, "conv1", b="alpha", stepA=1, stepB=1)
    expect(tab.get_by_text("the same step of the same run")).to_be_visible()
    assert numbers(tab.get_by_test_id("facts").inner_text())[:2] == [0, 1]


def test_another_layer_is_compared_alike(board, page):
    tab = open_comparison(board, page, "conv1", b="beta", stepA=0)
    tab.locator(".layers").get_by_role("button", name="conv2/kernel").click()
    before, after = np.nan_to_num(stored("conv2", 0)), np.nan_to_num(stored("conv2", 2))
    tab.get_by_test_id("match").select_option("index")
    change = np.linalg.norm(after - before) / np.linalg.norm(before)
    expect(tab.get_by_test_id("compare").get_by_role("heading", name="conv2/kernel")).to_be_visible()
    expect(tab.get_by_test_id("facts")).to_contain_text(f"relative change {change:.4g}", timeout=20 * SECONDS)


def test_filters_of_b_without_a_partner_are_named(page, tmp_path):
    kernel = np.random.default_rng(0).normal(size=(3, 3, 2, 20)).astype(np.float32)
    for run, some in (("a", kernel[..., :5]), ("b", np.roll(kernel, 1, axis=-1)[..., :8]), ("c", kernel)):
        event = kernel_event("cnn", "conv/kernel", 0, 0, some)
        logs.write_file(tmp_path / run / "events.out.tfevents.1.host", [event])
    with server.serve(tmp_path, "true") as board:
        board.index_when(lambda index: len(server.steps(index)) == 3)
        shared = {"view": "compare", "layer": layer_key("conv/kernel"), "a": "a"}
        unpaired = open_tab(board, page, **shared, b="b", match="likeness").get_by_test_id("unpaired")
        # B has A's filters one place later.
        expect(unpaired).to_have_text("⚠ B has 3 filters more: 0, 6, 7", timeout=20 * SECONDS)
        unpaired = open_tab(board, page, **shared, b="c", match="index").get_by_test_id("unpaired")
        expect(unpaired).to_have_text("⚠ B has 15 filters more: 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, …")
        tab = open_tab(board, page, **shared, b="a")
        expect(tab.get_by_test_id("facts").first).to_be_visible()
        expect(tab.get_by_test_id("unpaired")).to_have_count(0)
        page.goto("about:blank")
