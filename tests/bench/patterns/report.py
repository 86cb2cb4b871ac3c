"""Puts the comparison together, as Markdown and a contact sheet."""

from __future__ import annotations

import argparse
import pathlib
from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from tb_filterviz import generate_patterns
from tb_filterviz.patterns import precision
from tb_filterviz.patterns.recipes import RECIPES
from tests.bench.patterns import contenders, networks, sheet, speed, truth
from tests.bench.patterns.markdown import header, row

_FAILURES_SIDE = 96


def run(arguments: Sequence[str]) -> None:
    """Runs what the command line asks for."""
    options = _options(arguments)
    runs = {name: one for name, one in contenders.contenders().items() if not options.only or name in options.only}
    model = networks.hed(options.side)
    for part in options.parts:
        print(f"\n#### {part.capitalize()}\n", flush=True)
        for line in _PARTS[part](options, runs, model):
            print(line, flush=True)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.bench patterns", description="Patterns against others.")
    add = parser.add_argument
    add("--parts", nargs="+", choices=list(_PARTS), default=list(_PARTS), help="what to do; all by default")
    add("--layers", nargs="+", default=list(networks.LAYERS), help="layers of VGG16")
    add("--only", nargs="+", help="contenders; all by default")
    add("--filters", type=int, default=16, help="filters a layer")
    add("--shown", type=int, default=8, help="filters a layer by the slow libraries, and on the sheet")
    add("--again", type=int, default=8, help="filters a layer that are made from a second seed, too; 0: none")
    add("--side", type=int, default=150, help="height and width of pictures, in pixels")
    add("--repeats", type=int, default=3, help="rounds of timing")
    add("--network", type=int, default=int(np.random.default_rng().integers(1000)), help="seed of the drawn network")
    add("--keep", type=pathlib.Path, default=pathlib.Path("build/bench-patterns"), help="where pictures are kept")
    return parser.parse_args(arguments)


def _speed(options: argparse.Namespace, runs: dict[str, contenders.Contender], model: keras.Model) -> Iterator[str]:
    yield from _speed_table(options, runs, model, options.layers)


def _auto(options: argparse.Namespace, runs: dict[str, contenders.Contender], model: keras.Model) -> Iterator[str]:
    yield f"The size follows what a filter sees; the classic recipe, eager, is at {options.side} px.\n"
    yield header("layer", "side, px", "ours, s a filter", "than classic, eager")
    open_model = networks.hed(None)
    for layer in options.layers:
        yield _auto_row(options, runs, model, open_model, layer)


def _speed_table(
    options: argparse.Namespace, runs: dict[str, contenders.Contender], model: keras.Model, layers: Sequence[str]
) -> Iterator[str]:
    runs = {name: one for name, one in runs.items() if name != contenders.OURS_DISTINCT}  # another aim
    ours = [name for name in runs if name in contenders.ALL_OURS]
    others = [name for name in runs if name not in ours]
    columns = ("limit, s a step", "share of it, first climbs", "with second climbs")
    yield header("layer", "who", "s a filter", *(f"than {name}" for name in others), *columns)
    for layer in layers:
        filters = _chosen(model, layer, options.filters)
        limits = {name: speed.Limit(model, layer, name == contenders.OURS and precision.is_fast()) for name in ours}
        timed = speed.rounds(runs, model, layer, filters, options.repeats, limits)
        for name in ours:
            mine = timed[name]
            ratios = [f"{timed[other].seconds / mine.seconds:.1f} x faster" for other in others]
            counts = (runs[name].steps, speed.steps_a_filter(runs[name], model, layer, filters))
            shares = [f"{count * mine.share:.0%}" for count in counts]
            yield row(layer, name, f"{mine.seconds:.3f}", *ratios, f"{mine.a_pass:.4f}", *shares)


def _auto_row(
    options: argparse.Namespace,
    runs: dict[str, contenders.Contender],
    model: keras.Model,
    open_model: keras.Model,
    layer: str,
) -> str:
    filters = _chosen(model, layer, options.filters)
    sides = []

    def auto(_: keras.Model, layer: str, filters: list[int], seed: int, steps: int) -> NDArray[np.uint8]:
        made = generate_patterns(open_model, layer, filters, seed=seed, steps=steps, progress=False)
        sides.append(made.images.shape[1])
        return made.images

    pair = {
        contenders.OURS: contenders.Contender(runs[contenders.OURS].steps, True, auto),
        "classic": runs["classic, eager"],
    }
    timed = speed.rounds(pair, model, layer, filters, options.repeats)
    mine = timed[contenders.OURS].seconds
    return row(layer, sides[0], f"{mine:.3f}", f"{timed['classic'].seconds / mine:.0f} x faster")


def _costs(options: argparse.Namespace, runs: dict[str, contenders.Contender], model: keras.Model) -> Iterator[str]:
    columns = ("first call longer by, s", "later calls measure, s", "beside measures and steps, s", "memory, GB")
    yield header("layer", *columns)
    for layer in options.layers:
        fresh = networks.hed(options.side)
        over = speed.overhead(runs[contenders.OURS], fresh, layer, _chosen(model, layer, 4), options.repeats)
        grown = speed.memory(layer, options.side, options.filters)
        yield row(layer, f"{over.first:.1f}", f"{over.measured:.2f}", f"{over.rest:.2f}", f"{grown / 1e9:.2f}")


def _truth(options: argparse.Namespace, runs: dict[str, contenders.Contender], model: keras.Model) -> Iterator[str]:
    names = [name for name in ("classic, tf.function", *contenders.ALL_OURS, "tf-keras-vis", "xplique") if name in runs]
    layers = {layer: _chosen(model, layer, options.filters) for layer in options.layers}
    pictures: dict[str, dict[str, NDArray[np.uint8]]] = {}
    chosen = {name: runs[name] for name in names}
    yield from truth.compare(chosen, model, layers, options.shown, options.again, options.keep, pictures)
    path = options.keep / "sheet.png"
    options.keep.mkdir(parents=True, exist_ok=True)
    shown = {
        layer: {name: images[: options.shown] for name, images in block.items()} for layer, block in pictures.items()
    }
    sheet.write(path, shown)
    yield f"\nThe contact sheet is {path}."


def _curves(options: argparse.Namespace, runs: dict[str, contenders.Contender], model: keras.Model) -> Iterator[str]:
    counts = (1, 2, 4, 8, 12, 16, 22, 32, 64, 80)
    open_model = networks.hed(None)
    yield header("layer", "recipe", *(f"after {count}" for count in counts))
    for layer in options.layers[:2]:
        filters = _chosen(model, layer, 4)
        for recipe in RECIPES.values():
            made = generate_patterns(
                *(open_model, layer, filters),
                size=96,
                recipe=recipe.name,
                input_range=(0, 255),
                tries=1,
                progress=False,
                compute_dtype="float32",
            )
            means = made.curve.mean(0)
            yield row(layer, recipe.name, *(f"{means[n]:.1f}" if n < len(means) else "" for n in counts))


def _drawn(options: argparse.Namespace, runs: dict[str, contenders.Contender], model: keras.Model) -> Iterator[str]:
    other, layers = networks.drawn(options.network, options.side)
    yield f"{other.name} with random weights, drawn with --network {options.network}; pictures are fed as they are.\n"
    yield from _speed_table(options, runs, other, layers)


def _failures(options: argparse.Namespace, runs: dict[str, contenders.Contender], model: keras.Model) -> Iterator[str]:
    model, layer = networks.hed(None), "block5_conv1"
    asked = {"size": _FAILURES_SIDE, "reference": networks.natural(_FAILURES_SIDE, 200), "input_range": (0, 255)}
    made = generate_patterns(model, layer, **asked)
    failed = made.filters[made.failed]
    yield f"{layer}, all {len(made)} filters at {_FAILURES_SIDE} px: {made.failed.mean():.1%} failed (bar: 5%)."
    truly = 0
    for objective, at_spots in (("channel", False), ("spots", True)):
        again = [index for index, spots in zip(failed, made.spots[made.failed], strict=True) if spots == at_spots]
        still = np.ones(len(again), bool)
        for seed in range(10 if again else 0):
            more = {"objective": objective, "seed": seed, "steps": 512, "tries": 1}
            still &= generate_patterns(model, layer, again, **asked, **more).failed
        truly += int(still.sum())
    yield f"Of these {len(failed)}, {truly} fail with ten seeds and 512 steps, too."


_PARTS: dict[str, Callable[[argparse.Namespace, dict[str, contenders.Contender], keras.Model], Iterator[str]]] = {
    "speed": _speed,
    "auto": _auto,
    "costs": _costs,
    "truth": _truth,
    "curves": _curves,
    "drawn": _drawn,
    "failures": _failures,
}


def _chosen(model: keras.Model, layer: str, count: int) -> list[int]:
    """Draws filters of a layer, always the same."""
    total = model.get_layer(layer).output.shape[-1]
    drawn = np.random.default_rng(1).permutation(total)[:count]
    return sorted(int(index) for index in drawn)
