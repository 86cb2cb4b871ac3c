"""Leads all filters of a layer through their climbs: batches, second tries, the clock and the interrupt."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import numpy as np
import tensorflow as tf
import tqdm
from numpy.typing import NDArray

from tb_filterviz.patterns import parameterization, transforms
from tb_filterviz.patterns.options import PatternOptions
from tb_filterviz.patterns.recipes import Recipe

MEMORY = 1 << 30
"""What the pictures of a batch may take together while they climb, in bytes."""

_CPU_BATCH, _GPU_BATCH = 4, 32  # measured on two cores: 4 at once are a quarter faster than 1, and 16 no faster than 4

NOISES = 16
"""How many pictures of noise each filter is compared with: always the same ones, whatever filters are asked for."""

_BAR = "{desc}: {percentage:3.0f}%|{bar}| {n:.1f}/{total} filters [{elapsed}<{remaining}, {rate_fmt}{postfix}]"


@dataclasses.dataclass
class Made:
    """What came of a climb; see `records.Patterns`."""

    filters: NDArray[np.int64]
    images: NDArray[np.uint8]
    start: NDArray[np.float32]
    reached: NDArray[np.float32]
    noise: NDArray[np.float32]
    natural: NDArray[np.float32]
    percentile: NDArray[np.float32]
    failed: NDArray[np.bool_]
    curve: NDArray[np.float32]


@dataclasses.dataclass
class _Picture:
    """The picture of one filter after one try, or all its facets; the numbers are those of the weakest of them."""

    images: NDArray[np.uint8]
    start: float
    reached: float
    curve: NDArray[np.float32]


class Climb:
    """One run over the filters of a layer.

    Args:
        engine: Engine of the layer.
        recipe: How to step.
        steps: Number of steps of the first try.
        options: The rest.
        natural: float32 `[cuts, filters]`, the response to natural inputs; or None.
        name: Stands before the progress bar.
    """

    def __init__(
        self,
        engine: Any,
        recipe: Recipe,
        steps: int,
        options: PatternOptions,
        natural: NDArray[np.float32] | None,
        name: str,
    ) -> None:
        self._engine, self._recipe, self._steps, self._options = engine, recipe, steps, options
        self._natural, self._name = natural, name
        self._most_natural = np.full(engine.filters, np.nan, np.float32)
        if natural is not None:
            self._most_natural = np.fmax.reduce(natural)
        self._end = float("inf") if options.max_seconds is None else time.monotonic() + options.max_seconds
        self._noise = np.full(engine.filters, np.nan, np.float32)
        self._batch = options.batch_size or _batch_size(engine.picture_bytes * options.facets)

    def run(self, filters: list[int]) -> tuple[Made, KeyboardInterrupt | None]:
        """Makes the patterns of filters; with the interrupt that ended it, and what was done until then.

        Raises:
            ValueError: If no filter of the layer answers with finite numbers.
        """
        done: dict[int, _Picture] = {}
        interrupt = None
        with tqdm.tqdm(
            total=len(filters),
            desc=self._name,
            unit="filter",
            bar_format=_BAR,
            disable=not self._options.progress,
        ) as bar:
            try:
                self._measure_noise()
                for batch in _batches(filters, self._batch):
                    if done and time.monotonic() >= self._end:
                        break
                    done.update(self._try(batch, 0, bar))
                    bar.update(len(done) - bar.n)
                for attempt in range(1, self._options.tries):
                    failed = [index for index in done if self._failed(index, done[index].reached, done[index].start)]
                    bar.set_postfix_str(f"try {attempt + 1} of {len(failed)} filters" if failed else "")
                    for batch in _batches(failed, self._batch):
                        if time.monotonic() >= self._end:
                            break
                        for index, picture in self._try(batch, attempt, None).items():
                            if _better(picture.reached, done[index].reached):
                                done[index] = picture
            except KeyboardInterrupt as error:
                interrupt = error
        return self._made(done), interrupt

    def _try(self, batch: list[int], attempt: int, bar: Any) -> dict[int, _Picture]:
        seed, facets = self._options.seed, self._options.facets
        indices = np.repeat(np.array(batch, np.int32), facets)
        steps = self._steps * 4**attempt
        rates = np.linspace(self._recipe.rate, self._recipe.last_rate, steps).astype(np.float32)
        noise = parameterization.noise(seed, batch, self._engine.parameterization, attempt, facets)
        draws = np.repeat(transforms.draw(self._recipe, steps, seed, batch, attempt), facets, axis=1)

        def after(taken: int) -> bool:
            if bar is not None:
                bar.update(min(len(batch) * taken / steps, bar.total - bar.n))  # fractions do not add up exactly
            return time.monotonic() < self._end

        pictures, curve = self._engine.climb(noise, indices, rates, draws, after)
        images = parameterization.quantise(pictures)
        reached = self._engine.measure_own(parameterization.shown(images), indices)
        starts = curve[0]
        if not self._engine.sees_start:
            starts = self._engine.measure_own(self._engine.pictures(noise), indices)
        made = {}
        for rows, index in zip(np.arange(len(indices)).reshape(-1, facets), batch, strict=True):
            weakest = rows[np.argmin(reached[rows])]
            made[index] = _Picture(images[rows], starts[weakest], reached[weakest], curve[:, weakest])
        return made

    def _measure_noise(self) -> None:
        """Measures the most that each filter answers to any of the pictures that the first filters begin with."""
        for batch in _batches(list(range(NOISES)), self._batch):
            noise = parameterization.noise(self._options.seed, batch, self._engine.parameterization)
            response = self._engine.measure(self._engine.pictures(noise))
            if not np.isfinite(response).any():
                raise ValueError(
                    "No filter of the layer answers noise with a finite number: there is NaN or infinity in the "
                    f"weights up to it, or its numbers are too large for its dtype. Received: layer={self._name!r}"
                )
            self._noise = np.fmax(self._noise, response.max(0))

    def _failed(self, index: int, reached: float, start: float) -> bool:
        limits = (start, self._noise[index], self._most_natural[index])
        return not np.isfinite(reached) or any(reached <= limit for limit in limits)

    def _made(self, done: dict[int, _Picture]) -> Made:
        filters = np.array(sorted(done), np.int64)
        pictures = [done[index] for index in filters]
        shape = self._engine.shape
        sign = np.float32(-1 if self._options.negative else 1)  # scores are responses again
        longest = max((len(one.curve) for one in pictures), default=0)
        curve = np.full((len(filters), longest + 1), np.nan, np.float32)
        for row, one in zip(curve, pictures, strict=True):
            row[: len(one.curve)] = one.curve
            row[len(one.curve)] = one.reached
        reached = np.array([one.reached for one in pictures], np.float32)
        percentile = np.full(len(filters), np.nan, np.float32)
        if self._natural is not None:
            percentile = (100 * (self._natural[:, filters] < reached).mean(0)).astype(np.float32)
        return Made(
            filters,
            np.array([one.images for one in pictures], np.uint8).reshape(-1, *shape),
            sign * np.array([one.start for one in pictures], np.float32),
            sign * reached,
            sign * self._noise[filters],
            sign * self._most_natural[filters],
            percentile,
            np.array([self._failed(i, done[i].reached, done[i].start) for i in filters], bool),
            sign * curve,
        )


def _better(new: float, old: float) -> bool:
    return bool(np.isfinite(new) and not (np.isfinite(old) and new <= old))


def _batch_size(picture_bytes: int) -> int:
    most = _GPU_BATCH if tf.config.list_logical_devices("GPU") else _CPU_BATCH
    return max(1, min(most, MEMORY // max(picture_bytes, 1)))


def _batches(filters: list[int], size: int) -> list[list[int]]:
    return [filters[at : at + size] for at in range(0, len(filters), size)]
