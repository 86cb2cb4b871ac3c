"""Overview, order and search of a grid, the course of a filter, history of the browser, accessibility."""

import csv
import io
import pathlib
import re
import time

import numpy as np
import pytest
from playwright.sync_api import expect
from tensorboard.compat.proto import event_pb2, summary_pb2

from tb_filterviz import analysis
from tests.e2e.conftest import LAYERS, STEPS, kernel_event, kernel_events, pattern_event, values
from tests.e2e.test_tab import SECONDS, first_card, layer_key, open_tab, painted, read
from tests.support import logs, server

COMPARISONS = [{"view": "compare", "find": "3, 7"}, {"view": "compare", "filter": 3}]
AXE = pathlib.Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"


def test_the_overview_lists_all_layers_in_model_order(board, page):
    tab = open_tab(board, page, view="overview", main="alpha")
    rows = tab.locator(".overview-row")
    expect(rows).to_have_count(4, timeout=20 * SECONDS)
    paths = [rows.nth(at).get_attribute("data-path") for at in range(4)]
    assert paths == [f"{name}/kernel" for name in LAYERS]
    expect(rows.first.get_by_test_id("badge-dead")).to_have_text("0 dead")
    for plot in ("Norm over 3 steps", "Change over 2 steps"):
        expect(rows.first.locator(f"svg[aria-label^='{plot}']")).to_be_visible()
    rows.nth(1).get_by_role("button").first.click()
    expect(tab.locator(".card").first).to_have_attribute("data-tag", "cnn/conv2/kernel/filterviz.kernel")


def test_a_badge_opens_the_kernels_that_it_counts(page, tmp_path):
    """Also where patterns were looked at last, which few filters may have."""
    kernel = np.where(np.arange(16) % 8 == 2, 0, values("conv1", 0))
    events = [kernel_event("cnn", "conv1/kernel", 0, 0, kernel), pattern_event("cnn", "conv1/kernel", 0)]
    logs.write_file(tmp_path / "run" / "events.out.tfevents.1.host", events)
    with server.serve(tmp_path, "true") as board:
        board.index_when(lambda index: len(server.steps(index)) == 2)
        tab = open_tab(board, page, view="overview", kind="patterns")
        badge = tab.get_by_test_id("badge-dead")
        expect(badge).to_have_text("2 dead", timeout=20 * SECONDS)
        badge.click()
        expect(tab.get_by_test_id("found")).to_have_text("2 of 16 filters")
        page.goto("about:blank")


@pytest.mark.parametrize("width", [1400, 1100, 700])
def test_the_overview_shows_all_of_a_row_in_any_window(board, page, width):
    page.set_viewport_size({"width": width, "height": 800})
    tab = open_tab(board, page, view="overview", main="alpha")
    for path in LAYERS:
        row = tab.locator(f".overview-row[data-path='{path}/kernel']")
        tab.get_by_test_id("overview").evaluate("(pane, top) => { pane.scrollTop = top }", 150 * [*LAYERS].index(path))
        expect(row.locator(".plot")).to_have_count(2)
        expect(row.get_by_test_id("basis")).to_be_visible(timeout=20 * SECONDS)
        outer, *inner = row.evaluate(
            """row => [row, ...row.querySelectorAll(".plot, .badges > *, [data-testid=basis] > *")]
                .map(one => one.getBoundingClientRect().toJSON())"""
        )
        assert len(inner) >= 10
        for box in inner:
            assert outer["left"] <= box["left"], path
            assert box["right"] <= outer["right"], path
            assert box["bottom"] <= outer["bottom"], path


def test_back_and_forward(board, page):
    tab = open_tab(board, page, view="overview", main="alpha")
    tab.locator(".overview-row").nth(1).get_by_role("button").first.click()
    first_card(tab)
    page.go_back()
    expect(tab.get_by_test_id("overview")).to_be_visible()
    page.go_forward()
    first_card(tab)
    expect(page).to_have_url(re.compile("p.filterviz.layer=cnn%7Cconv2%2Fkernel"))


def test_the_largest_norm_first(board, page):
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha", step=0, input=0)
    card = painted(first_card(tab))
    tab.get_by_test_id("sort").select_option("norm")
    expect(card.get_by_test_id("found")).to_have_text("16 of 16 filters")
    norms = np.linalg.norm(values("conv1", 0).reshape(-1, 16), axis=0)
    assert read(card, page, 10, 10)[0] == norms.argmax()


def test_a_search_leaves_what_it_names(board, page):
    tab = open_tab(board, page, layer=layer_key("conv2/kernel"), run="alpha", step=2, input=0)
    card = painted(first_card(tab))
    change = analysis.change(values("conv2", 1), values("conv2", 2))[0]
    limit = float(np.sort(change)[11:13].mean())
    tab.get_by_test_id("find").fill(f"change>{limit:.6f}")
    expect(card.get_by_test_id("found")).to_have_text("12 of 24 filters")
    tab.get_by_test_id("find").fill("5, 7")
    expect(card.get_by_test_id("found")).to_have_text("2 of 24 filters")
    assert read(card, page, 10, 10)[0] == 5
    tab.get_by_test_id("find").fill("nonsense")
    expect(card.get_by_role("alert")).to_contain_text("“nonsense” is not understood")


def test_the_course_of_a_filter_and_its_neighbours(board, page):
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha", filter=3)
    expect(tab.get_by_test_id("history")).to_contain_text(f"Over {len(STEPS)} steps", timeout=20 * SECONDS)
    cosine = np.abs(analysis.cosines(values("conv1", 2)))
    np.fill_diagonal(cosine, -1)
    nearest = tab.get_by_test_id("nearest").get_by_role("button").first
    expect(nearest).to_contain_text(str(cosine[3].argmax()))
    nearest.click()
    expect(tab.locator(".detail")).to_have_attribute("data-filter", str(cosine[3].argmax()))


def test_slices_with_the_strongest_first(board, page):
    tab = open_tab(board, page, layer=layer_key("conv2/kernel"), run="alpha", step=0, filter=3, slices="norm")
    card = painted(first_card(tab))
    norms = np.linalg.norm(values("conv2", 0)[..., 3].reshape(9, -1), axis=0)
    assert read(card, page, 10, 10)[1] == norms.argmax()


def test_settings_outlive_a_visit_and_links_do_not_depend_on_them(board, page):
    def visit(setting=None, **picks):
        page.goto("about:blank")
        tab = open_tab(board, page, **picks)
        first_card(tab)
        if setting:
            tab.get_by_role("button", name="Settings").click()
            tab.get_by_test_id(setting).check()
        return page.url

    visit("map-grey")
    assert "p.filterviz.map=grey" in visit()
    assert "map" not in visit(step=1)
    visit("speed-5", step=1, tile=20)
    address = visit()
    assert "p.filterviz.map=grey" in address
    assert "p.filterviz.speed=5" in address
    assert "tile" not in address


def test_the_sheet_of_keys(board, page):
    tab = open_tab(board, page)
    first_card(tab)
    tab.get_by_test_id("mosaic").first.focus()
    page.keyboard.press("?")
    expect(tab.locator("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(tab.locator("dialog")).to_have_count(0)
    tab.get_by_role("button", name="Settings").click()
    tab.get_by_role("button", name="Keys").click()
    expect(tab.locator("dialog")).to_contain_text("Ctrl wheel")


def violations(page):
    """What axe finds in the tab as it is."""
    frame = next(frame for frame in page.frames if "plugin_entry" in frame.url)
    frame.evaluate(AXE.read_text())
    found = frame.evaluate("() => axe.run(document)")["violations"]
    return [(one["id"], node["html"][:150], node["failureSummary"][:200]) for one in found for node in one["nodes"]]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "picks",
    [{"view": "overview"}, {}, {"filter": 3}, {"kind": "patterns"}, {"kind": "both", "marked": "0,2"}, *COMPARISONS],
)
def test_no_violation_that_axe_finds(board, page, picks, theme):
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha", **picks)
    if theme == "dark":
        page.evaluate("() => document.body.classList.add('dark-mode')")
    ready = {"overview": ".badges", "compare": "[data-testid=facts]"}.get(picks.get("view"), ".card canvas")
    expect(tab.locator(ready).first).to_be_visible(timeout=20 * SECONDS)
    expect(tab.locator(".stale")).to_have_count(0, timeout=20 * SECONDS)  # dimmed words have less contrast
    page.wait_for_timeout(700)
    assert violations(page) == []


def shares(name, step):
    explained = analysis.basis(values(name, step).astype(np.float16)).explained
    return [f"{100 * share:.0f} %" for share in explained]


def test_the_basis_of_a_layer_and_what_it_explains(board, page):
    tab = open_tab(board, page, view="overview", main="alpha", step=1)
    basis = tab.locator(".overview-row").nth(0).get_by_test_id("basis")
    expect(basis).to_contain_text(", ".join(shares("conv1", 1)[:3]), timeout=20 * SECONDS)
    expect(basis).to_have_attribute(
        "title", re.compile("principal components.*each explains.*: " + shares("conv1", 1)[0])
    )
    tab = open_tab(board, page, layer=layer_key("conv2/kernel"), run="alpha", step=2)
    with page.expect_request(lambda request: "depth=full" in request.url):  # it asks only when it is opened
        first_card(tab).get_by_text("Basis of slices").click()
    picture = tab.get_by_test_id("basis").get_by_role("img")
    expect(picture).to_have_attribute("aria-label", "Basis of slices: " + ", ".join(shares("conv2", 2)[:9]))


def test_a_pattern_over_its_steps(page, tmp_path):
    steps = [*range(40), 90]
    events = [*kernel_events([0]), *(pattern_event("cnn", "conv1/kernel", step) for step in steps)]
    logs.write_file(tmp_path / "run" / "events.out.tfevents.1.host", events)
    with server.serve(tmp_path, "true") as board:
        board.index_when(lambda index: len(server.steps(index)) == 5)
        asked = []
        page.on("request", lambda request: "/patterns?" in request.url and asked.append(request.url))
        tab = open_tab(board, page, layer=layer_key("conv1/kernel"), filter=3)
        course = tab.locator(".history", has_text="Pattern at")
        expect(course.locator("h3")).to_have_text("Pattern at 24 of 41 steps", timeout=20 * SECONDS)
        expect(course.get_by_test_id("pattern")).to_have_count(24)
        expect(course.locator("svg")).to_have_attribute(
            "aria-label", re.compile("^Activation over 24 steps.*at last 6.5$")
        )
        assert len({url for url in asked if "curve" not in url}) == 24
        course.get_by_role("button", name="Pattern at step 0").click()
        expect(tab.locator(".steps .value")).to_contain_text("Step 0")
        page.goto("about:blank")


@pytest.mark.parametrize(("filter_", "tables"), [(3, 2), (9, 1)])  # of which the second has no pattern
def test_the_values_of_a_filter_are_copied(board, page, filter_, tables):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab = open_tab(board, page, layer=layer_key("conv1/kernel"), run="alpha", filter=filter_, step=2)
    if tables == 2:  # copied is what is shown
        expect(tab.get_by_test_id("pattern")).to_be_visible(timeout=20 * SECONDS)
    tab.get_by_role("button", name="Copy values").click(timeout=20 * SECONDS)
    expect(tab.get_by_role("button", name="Copied")).to_be_visible()
    frame = next(frame for frame in page.frames if "plugin_entry" in frame.url)
    rows = list(csv.reader(io.StringIO(frame.evaluate("() => navigator.clipboard.readText()"))))
    assert len(rows) == 2 * tables
    copied = dict(zip(rows[0], rows[1], strict=True))
    norm = np.linalg.norm(values("conv1", 2)[..., filter_])
    assert (copied["run"], copied["step"], copied["filter"]) == ("alpha", "2", str(filter_))
    assert float(copied["norm"]) == pytest.approx(norm, rel=1e-6)
    if tables == 2:
        pattern = dict(zip(rows[2], rows[3], strict=True))
        assert (float(pattern["start"]), float(pattern["reached"]), float(pattern["failed"])) == (3, 6.5, 1)


def test_a_filter_from_a_link_cannot_hang_the_tab(board, page):
    tab = open_tab(board, page, run="alpha", layerFilter="(.+)+#")
    box, listed = tab.get_by_test_id("layerFilter"), tab.locator(".layers").get_by_role("button")
    expect(listed).to_have_count(4, timeout=20 * SECONDS)
    expect(box).to_have_attribute("aria-invalid", "true")
    for typed, count in (("(conv1|wave)/.+l$", 2), ("^c(on|x)+v", 0), ("(", 4)):
        box.fill(typed)
        expect(listed).to_have_count(count)
        expect(box).to_have_attribute("aria-invalid", str(typed == "(").lower())
    page.goto("about:blank")
    tab = open_tab(board, page, run="alpha", layerFilter="conv[12]|wav.*l$")
    expect(tab.locator(".layers").get_by_role("button")).to_have_count(3, timeout=20 * SECONDS)
    expect(tab.get_by_test_id("layerFilter")).to_have_attribute("aria-invalid", "false")


def test_runs_have_the_colours_that_tensorboard_gives_them(page, tmp_path):
    """Of all runs, with filters or without."""
    loss = summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag="loss", simple_value=1.0)])
    logs.write_file(tmp_path / "0" / "events.out.tfevents.1.host", [event_pb2.Event(wall_time=1.7e9, summary=loss)])
    for run in ("a", "b"):
        logs.write_file(tmp_path / run / "events.out.tfevents.1.host", kernel_events([0]))
    with server.serve(tmp_path, "true") as board:
        board.index_when(lambda index: len(server.steps(index)) == 8)
        while len(board.fetch("data/runs").json) < 3:
            time.sleep(0.1)
        tab = open_tab(board, page)
        for run, colour in (("a", "rgb(18, 181, 203)"), ("b", "rgb(229, 37, 146)")):
            expect(tab.locator(f"[data-run={run}] .disc").first).to_have_css("background-color", colour)
        page.goto("about:blank")
