"""What the tab says and keeps while something is missing, on its way, damaged or gone."""

import re
import shutil

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import kernel_event, kernel_events, values
from tests.e2e.test_tab import SECONDS, first_card, layer_key, open_tab, painted, pixel
from tests.support import logs, server

FILE = "events.out.tfevents.1.host"
PICKS = {"layer": layer_key("conv1/kernel"), "input": 0}
STEP_1 = re.compile(r"/filterviz/(?!index).*[?&]step=1&")
STALE = re.compile(r"\bstale$")
# What each view shows of a step, as selectors of what is dimmed while that is another step than the one asked for.
SHOWN = {
    "layer": ({"sort": "norm"}, [".mosaic"]),
    "detail": (
        {"filter": 3},
        [".mosaic", ".figures > div:has([data-testid=numbers])", "[data-testid=nearest]"],
    ),
    "overview": ({"view": "overview", "main": "kept"}, [".line.course:has(.strip)"]),
    "compare": (
        {"view": "compare", "find": "3, 7", "a": "kept", "b": "kept", "stepA": "slider", "stepB": 2},
        ["[data-testid=facts]", ".mosaic"],
    ),
    "pair": (
        {"view": "compare", "filter": 3, "a": "kept", "b": "kept", "stepA": "slider", "stepB": 2},
        ["[data-testid=facts]", ".mosaic", ".pair-numbers"],
    ),
}


@pytest.fixture
def tolerated():
    return (404, 422)


@pytest.fixture
def own_log(tmp_path):
    """A log that a test may change, in two runs."""
    for run in ("kept", "other"):
        logs.write_file(tmp_path / run / FILE, kernel_events([0, 1, 2]))
    return tmp_path


@pytest.fixture
def own_board(own_log, page):
    with server.serve(own_log, "true") as board:
        board.index_when(lambda index: len(server.steps(index)) == 8)
        yield board
        page.goto("about:blank")


def hold(page, pattern):
    """Keeps answers back; returns what lets them go."""
    held = []
    page.route(pattern, lambda route: held.append(route) if held is not None else route.continue_())

    def release():
        nonlocal held
        routes, held = held, None
        for route in routes:
            route.continue_()

    return release


def test_nothing_is_shown_as_missing_before_the_first_answer(own_board, page):
    release = hold(page, "**/filterviz/index?*")
    tab = open_tab(own_board, page, **PICKS)
    expect(tab.get_by_text("Loading…")).to_be_visible()
    expect(tab.locator("div.empty")).to_have_count(0)
    release()
    first_card(tab)
    expect(tab.get_by_text("Loading…")).to_have_count(0)


def test_the_old_picture_stays_dimmed_until_the_new_one_is_there(own_board, page):
    tab = open_tab(own_board, page, step=0, **PICKS)
    card = painted(first_card(tab))
    mosaic = card.get_by_test_id("mosaic")
    expect(mosaic).not_to_have_class("mosaic stale")
    before = pixel(card, 10, 10)
    release = hold(page, "**/kernels?*step=1&*")
    tab.locator(".steps").locator("input").fill("1")
    expect(card).to_have_attribute("data-step", "1")
    expect(mosaic).to_have_class("mosaic stale")
    expect(mosaic).to_have_css("opacity", "0.5")
    assert pixel(card, 10, 10) == before
    release()
    expect(mosaic).to_have_class("mosaic")
    assert pixel(card, 10, 10) != before


def test_a_run_that_is_gone_takes_its_card_along_and_no_other(own_board, own_log, page):
    tab = open_tab(own_board, page, **PICKS)
    expect(tab.locator(".card")).to_have_count(2)
    shutil.rmtree(own_log / "other")
    expect(tab.locator(".card")).to_have_count(1, timeout=20 * SECONDS)
    expect(tab.locator(".card")).to_have_attribute("data-run", "kept")
    expect(tab.locator(".runs").get_by_text("other")).to_have_count(0)
    first_card(tab)


def damage(own_log):
    """Overwrites some weights of the run "kept" at step 1."""
    weights = np.moveaxis(values("conv1", 1).astype(np.float16), -1, 0).tobytes()
    file = own_log / "kept" / FILE
    content = file.read_bytes()
    at = content.index(weights[:64])
    file.write_bytes(content[:at] + bytes(8) + content[at + 8 :])


def move_to(tab, step):
    tab.locator(".steps").locator("input").fill(str(step))


def all_of(tab, selector):
    """What there is of it in the run "kept", in the first row of the overview, or in the comparison."""
    place = ".card[data-run=kept], .overview-row[data-path='conv1/kernel'], [data-testid=compare]"
    return tab.locator(place).locator(selector)


@pytest.mark.parametrize("view", SHOWN)
def test_what_is_shown_beside_an_error_is_dimmed(own_board, own_log, page, view):
    damage(own_log)
    picks, selectors = SHOWN[view]
    tab = open_tab(own_board, page, **PICKS, **picks, step=0)
    for selector in selectors:
        expect(all_of(tab, selector).first).not_to_have_class(STALE)
    move_to(tab, 1)
    expect(all_of(tab, "[role=alert]").first).to_contain_text("cannot be shown")
    for selector in selectors:
        for one in all_of(tab, selector).all():
            expect(one).to_have_class(STALE)


@pytest.mark.parametrize("view", SHOWN)
def test_what_is_shown_of_another_step_is_dimmed(own_board, page, view):
    picks, selectors = SHOWN[view]
    also = {"overview": [".badges"], "compare": [".beside"]}.get(view, [])
    tab = open_tab(own_board, page, **PICKS, **picks, step=0)
    for selector in [*selectors, *also]:
        expect(all_of(tab, selector).first).not_to_have_class(STALE)
    release = hold(page, STEP_1)
    move_to(tab, 1)
    for selector in [*selectors, *also]:
        expect(all_of(tab, selector).first).to_have_class(STALE)
    release()
    for selector in [*selectors, *also]:
        expect(all_of(tab, selector).first).not_to_have_class(STALE)


@pytest.mark.parametrize("picks", [{"sort": "norm"}, {"find": "dead"}])
def test_an_order_by_the_numbers_of_another_step_is_dimmed(own_board, page, picks):
    tab = open_tab(own_board, page, **PICKS, **picks, step=0)
    mosaic = first_card(tab).get_by_test_id("mosaic")
    expect(mosaic).to_have_class("mosaic")
    release = hold(page, "**/analysis?*step=1&*")
    with page.expect_response("**/kernels?*step=1&*"):
        move_to(tab, 1)
    page.wait_for_timeout(500)
    expect(mosaic).to_have_class("mosaic stale")
    release()
    expect(mosaic).to_have_class("mosaic")


def test_the_course_of_another_filter_is_not_shown_as_that_of_this_one(own_board, page):
    tab = open_tab(own_board, page, **PICKS, run="kept", filter=3)
    course = tab.get_by_test_id("history").get_by_role("img").first
    expect(course).to_have_attribute("aria-label", re.compile("^filter 3 at"))
    release = hold(page, "**/history?*filter=4&*")
    with page.expect_request("**/history?*filter=4&*"):
        tab.get_by_label("next filter").click()
    expect(tab.locator(".detail")).to_have_attribute("data-filter", "4")
    expect(tab.get_by_label("filter 4 at")).to_have_count(0, timeout=1)
    release()
    expect(course).to_have_attribute("aria-label", re.compile("^filter 4 at"))


@pytest.mark.parametrize(
    ("picks", "awaited"),
    [({"sort": "norm"}, "**/analysis?*step=1&v*"), ({"sort": "change"}, "**/analysis?*step=1&depth=full*")],
)
def test_nothing_turns_to_the_next_filter_while_the_order_is_on_its_way(own_board, page, picks, awaited):
    tab = open_tab(own_board, page, **PICKS, **picks, run="kept", filter=3, step=0)
    both = [tab.get_by_label(f"{name} filter") for name in ("next", "previous")]
    expect(tab.get_by_text("Filter 3 ·")).to_be_visible()
    release = hold(page, awaited)
    move_to(tab, 1)
    for button in both:
        expect(button).to_be_disabled()
    release()
    expect(tab.locator(":is([aria-label='next filter'], [aria-label='previous filter']):enabled").first).to_be_visible()


def test_a_damaged_datum_costs_itself_alone(own_board, own_log, page):
    damage(own_log)
    tab = open_tab(own_board, page, step=1, **PICKS)
    damaged, whole = (tab.locator(f".card[data-run={run}]") for run in ("kept", "other"))
    expect(damaged.get_by_role("alert")).to_contain_text("cannot be shown", timeout=20 * SECONDS)
    expect(whole.get_by_test_id("grid-canvas")).to_be_visible()
    expect(whole.get_by_role("alert")).to_have_count(0)
    expect(tab.locator("details.trouble")).to_contain_text("1 problem in the logs", timeout=20 * SECONDS)
    tab.locator(".steps").locator("input").fill("0")
    expect(damaged.get_by_role("alert")).to_have_count(0)
    painted(damaged)
    assert pixel(damaged, 10, 10)[3] == 255


def test_a_row_of_the_overview_says_once_what_is_damaged(own_board, own_log, page):
    damage(own_log)
    asked = []
    page.on("request", lambda request: re.search(r"(kernels|analysis)\?.*conv1", request.url) and asked.append(request))
    tab = open_tab(own_board, page, view="overview", main="kept", step=1)
    expect(tab.locator(".overview-row").nth(1).get_by_test_id("basis")).to_be_visible(timeout=20 * SECONDS)
    damaged = tab.locator(".overview-row").first
    expect(damaged.locator("figure")).to_have_count(1)  # the norms of the other steps
    expect(damaged.get_by_role("alert").first).to_be_visible()
    assert [request.response().status for request in asked][:1] == [422]
    page.wait_for_timeout(300)  # until the last of these answers would be shown
    expect(damaged.get_by_role("alert")).to_have_count(1)
    alert, row = damaged.get_by_role("alert").bounding_box(), damaged.bounding_box()
    assert alert["y"] + alert["height"] <= row["y"] + row["height"]


def test_a_server_that_is_gone_leaves_the_pictures_and_comes_back(own_log, page):
    with server.serve(own_log, "true") as board:
        board.index_when(lambda index: len(server.steps(index)) == 8)
        tab = open_tab(board, page, step=0, **PICKS)
        card = painted(first_card(tab))
    trouble = tab.locator(".trouble[role=alert]")
    expect(trouble).to_contain_text("TensorBoard does not answer", timeout=20 * SECONDS)
    assert pixel(card, 10, 10)[3] == 255
    tab.locator(".steps").locator("input").fill("1")
    expect(card.get_by_role("alert")).to_contain_text("does not answer")
    asked = []
    page.on("request", lambda request: STEP_1.search(request.url) and asked.append(request.url))
    release = hold(page, STEP_1)
    with server.serve(own_log, "true", "--port", board.url.split(":")[2].strip("/")):
        expect(trouble).to_have_count(0, timeout=40 * SECONDS)
        page.wait_for_timeout(3 * SECONDS)  # in which the tab asks three times what is new
        assert asked
        assert len(asked) == len(set(asked))
        release()
        expect(card.get_by_role("alert")).to_have_count(0, timeout=20 * SECONDS)
        expect(card.get_by_test_id("mosaic")).to_have_class("mosaic")
        page.goto("about:blank")


def test_a_step_before_the_first_says_which_is_the_first(own_board, own_log, page):
    late = [kernel_event("cnn", "conv1/kernel", 0, step, values("conv1", 0)) for step in (5, 6)]
    logs.write_file(own_log / "late" / FILE, late)
    tab = open_tab(own_board, page, step=1, **PICKS)
    card = tab.locator(".card[data-run=late]")
    expect(card).to_contain_text("Nothing was logged up to this step. The first is step 5.", timeout=20 * SECONDS)
    expect(card.get_by_test_id("grid-canvas")).to_have_count(0)


def test_nothing_moves_by_itself_for_who_wants_less_motion(own_board, page):
    tab = open_tab(own_board, page, **PICKS, speed=1)
    first_card(tab)
    expect(tab.get_by_test_id("play")).to_be_disabled()
    expect(tab.get_by_test_id("play")).to_have_attribute("title", "Off: your system asks for less motion")
    page.emulate_media(reduced_motion="no-preference")
    page.reload()
    first_card(tab)
    tab.get_by_test_id("play").click()
    expect(first_card(tab)).to_have_attribute("data-step", "0")
    expect(first_card(tab)).to_have_attribute("data-step", "2")


def test_a_screen_reader_hears_of_steps_and_filters(own_board, page):
    tab = open_tab(own_board, page, **PICKS)
    first_card(tab)
    said = tab.get_by_role("status")
    expect(said).to_have_text("conv1/kernel, all filters, step 2")
    tab.get_by_test_id("mosaic").first.focus()
    page.keyboard.press("[")
    expect(said).to_have_text("conv1/kernel, all filters, step 1")
    for key in ("Home", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(said).to_have_text("conv1/kernel, filter 1, step 1")
    tab.get_by_test_id("view-overview").click()
    expect(said).to_have_text("Overview, step 1")


def test_a_reload_right_after_a_pick_keeps_it(own_board, page):
    tab = open_tab(own_board, page, **PICKS)
    expect(first_card(tab)).to_have_attribute("data-step", "2")
    frame = next(frame for frame in page.frames if "plugin_entry" in frame.url)
    with page.expect_navigation():
        frame.evaluate(
            """() => {
              const slider = document.querySelector('.steps input');
              slider.value = '1';
              slider.dispatchEvent(new Event('input', {bubbles: true}));
              queueMicrotask(() => parent.location.reload());
            }"""
        )
    expect(first_card(tab)).to_have_attribute("data-step", "1")
