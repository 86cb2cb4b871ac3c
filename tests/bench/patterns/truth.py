"""Whether pictures show what their filters look for: the measures of `metrics` for every contender, as a table."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tests.bench.patterns import metrics, networks
from tests.bench.patterns.contenders import ALL_OURS, Contender
from tests.bench.patterns.markdown import header, row

COLUMNS = (
    *("layer", "contender", "filters", "reached >= classic", "after ReLU too", "at its contrast", "reached / natural"),
    *("> natural", "> 99.9 %", "> noise", "z first", "fine energy", "variation", "border", "> 1.5"),
    *("two seeds: cosine", "found again", "shift", "turn", "JPEG"),
)

_CLASSIC_CONTRAST = 25.5  # the standard deviation to which the classic recipe stretches, of 255
_NATURAL, _NOISE = 200, 16


class Judge:
    """Measures pictures of one layer.

    Args:
        model: Functional model of pictures 0..255.
        layer: Name of the layer.
        natural: uint8 `[n, side, side, 3]`, natural pictures.
    """

    def __init__(self, model: keras.Model, layer: str, natural: NDArray[np.uint8]) -> None:
        self._probe = networks.Probe(model, layer)
        self._known = self._probe(natural)[0]
        noise = networks.noise(natural.shape[1], _NOISE)
        self._noise = self._probe(noise)[0].max(0)

    def reached(self, images: NDArray[np.uint8], filters: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
        """Returns what filters answer to their pictures, `[n]`: before and after ReLU, and at the classic contrast."""
        rows = np.arange(len(filters))
        before, after = self._probe(images)
        same = self._probe(metrics.same_contrast(images, _CLASSIC_CONTRAST))[0]
        return {"before": before[rows, filters], "after": after[rows, filters], "same": same[rows, filters]}

    def cells(
        self,
        images: NDArray[np.uint8],
        again: NDArray[np.uint8],
        filters: NDArray[np.int64],
        classic: Mapping[str, NDArray[np.float32]],
    ) -> Iterator[str]:
        """Yields the cells of a row from the fourth column on.

        Args:
            images: Pictures `[n, side, side, 3]`.
            again: Those of another seed, of the first filters, if any.
            filters: The filter of each picture.
            classic: `reached` of the pictures of the classic recipe, of the same filters or more.
        """
        reached = self.reached(images, filters)
        before = reached["before"]
        for how, theirs in (("before", "before"), ("after", "after"), ("same", "before")):
            yield _share(reached[how] >= classic[theirs][: len(images)])
        most = self._known[:, filters].max(0)
        yield f"{np.median(before / np.abs(most)):.1f}"
        yield _share(before > most)
        yield _share(before > np.quantile(self._known[:, filters], 0.999, axis=0))
        yield _share(before > self._noise[filters])
        z = metrics.z_scores(self._probe(images)[0], self._known)
        yield f"{metrics.is_first(z, filters).mean():.2f}"
        yield f"{np.median(metrics.fine_energy(images)):.2f}"
        yield f"{np.median(metrics.total_variation(images)):.3f}"
        border = metrics.border_ratio(images)
        yield f"{np.median(border):.2f}"
        yield _share(border > 1.5)
        yield from self._agreement(z, again) if len(again) else ("", "")
        rows = np.arange(len(filters))
        kept = {
            name: np.median(self._probe(shaken)[0][rows, filters] / before)
            for name, shaken in metrics.shaken(images).items()
        }
        yield from (f"{figure:.2f}" for figure in (kept["shift"], (kept["left"] + kept["right"]) / 2, kept["jpeg"]))

    def _agreement(self, z: NDArray[np.float64], again: NDArray[np.uint8]) -> Iterator[str]:
        others = metrics.z_scores(self._probe(again)[0], self._known)
        return (f"{figure:.2f}" for figure in metrics.agreement(z[: len(again)], others))


def compare(
    runs: Mapping[str, Contender],
    model: keras.Model,
    layers: Mapping[str, Sequence[int]],
    shown: int,
    again: int,
    keep: pathlib.Path,
    pictures: dict[str, dict[str, NDArray[np.uint8]]],
) -> Iterator[str]:
    """Yields the table, line by line.

    Args:
        runs: The contenders, the classic recipe first: with its pictures others are compared.
        model: Functional model of pictures 0..255, of a fixed side.
        layers: Names of layers, each with filters.
        shown: For how many filters the libraries are asked.
        again: For how many filters a second seed is made.
        keep: Directory where pictures of others are kept, so that a further run need not make them again.
        pictures: Is filled with the pictures, by layer and contender.
    """
    side = model.inputs[0].shape[1]
    natural = networks.natural(side, _NATURAL)
    fine, variation = np.median(metrics.fine_energy(natural)), np.median(metrics.total_variation(natural))
    yield f"Natural pictures: fine energy {fine:.2f}, variation {variation:.3f}.\n"
    yield header(*COLUMNS)
    for layer, chosen in layers.items():
        judge = Judge(model, layer, natural)
        classic: Mapping[str, Any] | None = None
        for name, run in runs.items():
            filters = np.array(chosen if run.quick else chosen[:shown])
            images = _kept(keep, name, run, model, layer, filters, 0)
            others = _kept(keep, name, run, model, layer, filters[:again], 1) if again else images[:0]
            pictures.setdefault(layer, {})[name] = images
            classic = classic or judge.reached(images, filters)
            yield row(layer, name, len(filters), *judge.cells(images, others, filters, classic))


def _kept(
    keep: pathlib.Path,
    name: str,
    run: Contender,
    model: keras.Model,
    layer: str,
    filters: NDArray[np.int64],
    seed: int,
) -> NDArray[np.uint8]:
    """Makes pictures, filter by filter, or takes those that an earlier run kept."""
    if name in ALL_OURS:
        return run.make(model, layer, filters.tolist(), seed, run.steps)
    images = []
    for index in filters:
        path = keep / f"{name}-{model.name}-{layer}-{model.inputs[0].shape[1]}-{index}-{seed}.npy".replace(" ", "")
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, run.make(model, layer, [int(index)], seed, run.steps)[0])
        images.append(np.load(path))
    return np.stack(images)


def _share(these: NDArray[np.bool_]) -> str:
    return f"{these.mean():.0%}"
