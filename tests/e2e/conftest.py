"""Chromium, and logs to look at."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest
from playwright.sync_api import expect, sync_playwright

from tb_filterviz import records, wire
from tests.support import logs, server

ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
LAYERS = {"conv1": (3, 3, 3, 16), "conv2": (3, 3, 16, 24), "wave": (7, 4, 6), "volume": (2, 3, 3, 4, 5)}
STEPS = (0, 1, 2)
expect.set_options(timeout=20_000)  # milliseconds; the default of 5,000 is short for a busy machine
HOSTILE = "<img src=x onerror=\"document.title='pwned'\">'/é\\%41"


def values(name, step):
    """A kernel whose every weight can be told from the picture: distinct and known."""
    kernel = np.random.default_rng([len(name), step]).normal(size=LAYERS[name]).astype(np.float32)
    if name == "conv2":
        kernel[1, 1, 0, 5] = np.nan
    return kernel


def kernel_event(name, path, position, step, kernel):
    layer = records.Layer(path, "Conv2D", position)
    elements = wire.encode_kernel(records.Kernel(layer, kernel), name)
    return logs.event(wire.tag(name, path, "kernel"), step, logs.blob_tensor(elements), wire.metadata("kernel"))


def pattern_event(name, path, step, count=4, **more):
    images = np.zeros((count, 20, 20, 3), np.uint8)
    images[..., 0] = 255  # red, so that a test can find them
    numbers = np.arange(count, dtype=np.float32)
    patterns = records.Patterns(
        *(records.Layer(path, "Conv2D", 0), np.arange(count), images, numbers, numbers * 2 + 0.5, numbers == 3),
        *((0.0, 1.0), "classic", 80),
        curve=np.stack([numbers, numbers * 3 + 1, numbers * 2 + 0.5], axis=1),
        spots=numbers == 1,
        **more,
    )
    elements = wire.encode_patterns(patterns, name)
    return logs.event(wire.tag(name, path, "patterns"), step, logs.blob_tensor(elements), wire.metadata("patterns"))


def kernel_events(steps):
    for position, name in enumerate(LAYERS):
        for step in steps:
            yield kernel_event("cnn", f"{name}/kernel", position, step, values(name, step))


@pytest.fixture(scope="session")
def logdir(tmp_path_factory):
    directory = tmp_path_factory.mktemp("logs")
    for run in ("alpha", "beta"):
        events = [*kernel_events(STEPS), pattern_event("cnn", "conv1/kernel", 2)]
        logs.write_file(directory / run / "events.out.tfevents.1.host", events)
    hostile = kernel_event(HOSTILE, HOSTILE, 0, 0, values("conv1", 0))
    logs.write_file(directory / "hostile" / "events.out.tfevents.1.host", [hostile])
    return directory


@pytest.fixture(scope="session", params=["true", "false"], ids=["rust", "python"])
def board(request, logdir):
    with server.serve(logdir, request.param, "--path_prefix", "/some/where") as running:
        running.index_when(lambda index: len(server.steps(index)) == 11)
        yield running


@pytest.fixture(scope="session")
def browser():
    executable = shutil.which("chromium")
    assert executable, "the end-to-end tests need Chromium: see tests/e2e/install_chromium.sh"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def tolerated():
    """Statuses of answers of ours that do not fail a test; modules may have their own."""
    return ()


@pytest.fixture
def page(browser, tolerated):
    """A page that fails its test for any error in its console and for any request to elsewhere."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    opened = context.new_page()
    problems = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda message: _is_error(message) and problems.append(message.text))
    opened.on("dialog", lambda dialog: problems.append(f"a dialog: {dialog.message}"))
    opened.on("request", lambda request: _is_local(request.url) or problems.append(f"asked for {request.url}"))
    opened.on(
        "response",
        lambda answer: (
            _is_ours_and_failed(answer)
            and answer.status not in tolerated
            and problems.append(f"{answer.status} {answer.url}")
        ),
    )
    yield opened
    context.close()
    assert problems == []


def _is_error(message):
    # TensorBoard's own fonts are missing behind a path prefix; our own answers are looked at below.
    return message.type == "error" and not message.text.startswith("Failed to load resource")


def _is_ours_and_failed(answer):
    return "filterviz" in answer.url and answer.status >= 400


def _is_local(url):
    return re.match(r"(http://127\.0\.0\.1[:/]|data:|blob:)", url) is not None
