"""Leads all filters of a layer through their climbs: batches, second tries, the clock and the interrupt."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import time
import warnings
from typing import Any

import numpy as np
import tensorflow as tf
import tqdm
from numpy.typing import NDArray

from tb_filterviz.patterns import distinct, engine, parameterization, quantisation, transforms
from tb_filterviz.patterns.options import PatternOptions
from tb_filterviz.patterns.prepare import Prepared
from tb_filterviz.patterns.recipes import Recipe

_CPU_BATCH, _GPU_BATCH = 16, 32  # on two cores, in bfloat16, a tenth faster than 8 in deep layers, as fast in others

NOISES = 8
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
    spots: NDArray[np.bool_]
    hurried: int
    """How many of the filters took fewer steps, or tries, than asked for, since the time was over."""


@dataclasses.dataclass
class _Limits:
    """What all filters answer to other pictures, on average or at spots."""

    noise: NDArray[np.float32]
    """float32 `[filters]`, the most that they answer to noise."""
    natural: NDArray[np.float32] | None
    """float32 `[cuts, filters]`."""
    most_natural: NDArray[np.float32]
    """float32 `[filters]`; not-a-number where there are no natural inputs."""


@dataclasses.dataclass
class _Picture:
    """The picture of one filter after one try, or all its facets; the numbers are those of the weakest of them."""

    images: NDArray[np.uint8]
    start: float
    reached: float
    curve: NDArray[np.float32]
    at_spots: bool
    """Where the response is taken."""
    complete: bool
    """Whether it took all its steps."""


class Climb:
    """One run over the filters of a layer.

    Args:
        ready: What was found out before.
        recipe: How to step.
        steps: Number of steps of the first try.
        options: The rest.
    """

    def __init__(self, ready: Prepared, recipe: Recipe, steps: int, options: PatternOptions) -> None:
        self._ready, self._recipe, self._steps, self._options = ready, recipe, steps, options
        self._engine, self._name = ready.engine, ready.target.path
        self._is_distinct = options.objective == "distinct"
        may_need_spots = options.objective == "spots" or options.tries > 1
        self._apart = ready.apart() if may_need_spots and self._engine.finds_spots else 0
        self._hurried: set[int] = set()
        self._end = float("inf") if options.max_seconds is None else time.monotonic() + options.max_seconds
        self._limits: list[_Limits] = []
        self._compared = distinct.UNKNOWN
        self._devices = _devices()
        self._batch = options.batch_size or _batch_size(self._engine.picture_bytes * options.facets)
        self._batch *= len(self._devices)

    def run(self, filters: list[int]) -> tuple[Made, KeyboardInterrupt | None]:
        """Makes the patterns of filters.

        Args:
            filters: Their indices, ascending.

        Returns:
            What was made, of fewer filters where the time was over or an interrupt came; and that interrupt, or None.

        Raises:
            ValueError: If no filter of the layer answers with finite numbers, or natural inputs cannot tell filters
                apart that are to be compared by them.
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
                if self._is_distinct:
                    self._compared = self._statistics()
                at_spots = self._options.objective == "spots"
                self._limits = self._measure_limits()
                self._check_finite(self._limits[at_spots])
                for batch in _batches(filters, self._batch):
                    if done and time.monotonic() >= self._end:
                        break
                    done.update(self._together(batch, at_spots, 0, bar))
                    bar.update(len(done) - bar.n)
                for attempt in range(1, self._options.tries):
                    again = [index for index in done if self._failed(index, done[index]) or self._silent(done[index])]
                    aims = {index: done[index].at_spots or self._silent(done[index]) for index in again}
                    batches = [
                        (batch, at_spots)
                        for at_spots in sorted(set(aims.values()))
                        for batch in _batches([index for index in again if aims[index] == at_spots], self._batch)
                    ]
                    for batch, at_spots in batches:
                        if time.monotonic() >= self._end:
                            self._hurried.update(batch)
                            continue
                        bar.set_postfix_str(f"try {attempt + 1} of {len(again)} filters")
                        for index, picture in self._together(batch, at_spots, attempt, None).items():
                            if _replaces(picture, done[index]):
                                done[index] = picture
                    bar.set_postfix_str("")
            except KeyboardInterrupt as error:
                interrupt = error
        return self._made(done), interrupt

    def _together(self, batch: list[int], at_spots: bool, attempt: int, bar: Any) -> dict[int, _Picture]:
        """Climbs once with a batch of filters, a share of it on each device."""

        def climb(device: str | None, share: list[int]) -> dict[int, _Picture]:
            with tf.device(device) if device else contextlib.nullcontext():
                return self._try(share, at_spots, attempt, bar)

        count = len(self._devices)
        if count == 1:
            return climb(self._devices[0], batch)
        shares = [(device, batch[number::count]) for number, device in enumerate(self._devices)]
        made: dict[int, _Picture] = {}
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            try:
                running = [pool.submit(climb, device, share) for device, share in shares if share]
                for one in running:
                    made.update(one.result())
            except BaseException:
                self._end = 0.0  # for all of them, after the steps under way
                raise
        return made

    def _try(self, batch: list[int], at_spots: bool, attempt: int, bar: Any) -> dict[int, _Picture]:
        """Climbs once with a batch of filters, whose responses are taken on average or at spots."""
        seed, facets = self._options.seed, self._options.facets
        indices = np.repeat(np.array(batch, np.int32), facets)
        places = np.full_like(indices, self._apart if at_spots else 0)
        elsewhere = at_spots and self._options.objective == "channel"  # the try before was not at spots
        steps = self._steps * 2 ** (attempt - elsewhere)
        rates = np.linspace(self._recipe.rate, self._recipe.last_rate, steps).astype(np.float32)
        noise = parameterization.noise(seed, batch, self._engine.parameterization, attempt, facets)
        draws = np.repeat(transforms.draw(self._recipe, steps, seed, batch, attempt), facets, axis=1)

        def after(taken: int) -> bool:
            if bar is not None:
                with bar.get_lock():
                    bar.update(min(len(batch) * taken / steps, bar.total - bar.n))  # fractions do not add up exactly
            return time.monotonic() < self._end

        pictures, curve = self._engine.climb(noise, indices, rates, draws, after, places, self._compared)
        if len(curve) < steps:
            self._hurried.update(batch)
        images = quantisation.quantise(pictures)
        reached = self._score_own(quantisation.shown(images), indices, places)
        starts = curve[0]
        if not self._engine.sees_start:
            starts = self._score_own(self._engine.pictures(noise), indices, places)
        made = {}
        for rows, index in zip(np.arange(len(indices)).reshape(-1, facets), batch, strict=True):
            weakest = rows[np.argmin(reached[rows])]
            made[index] = _Picture(
                images[rows], starts[weakest], reached[weakest], curve[:, weakest], at_spots, len(curve) == steps
            )
        return made

    def _statistics(self) -> NDArray[np.float32]:
        """Measures what filters are compared by."""
        natural = self._ready.natural(0)[0]  # type: ignore[misc]  # the options see to it that there are natural inputs
        known = distinct.statistics(natural)
        if not np.isfinite(known[1]).any():
            raise ValueError(
                "`objective='distinct'` compares filters by what they answer to natural inputs, and no filter answers "
                "the given ones differently and with finite numbers. Pass some dozens that are unlike one another as "
                f"`reference`. Received: {len(natural)} of the pictures' size, layer={self._name!r}"
            )
        if len(natural) < distinct.FEWEST:
            warnings.warn(
                f"`reference` has {len(natural)} cuts of the pictures' size: by how many standard deviations a filter "
                f"is ahead is known roughly only. Pass more natural inputs, so that there are {distinct.FEWEST} or "
                f"more, better some dozens of unlike pictures. Received: layer={self._name!r}",
                stacklevel=5,
            )
        return known

    def _measure_limits(self) -> list[_Limits]:
        """Measures what filters answer to natural inputs, and to the pictures that the first filters begin with."""
        natural = None if self._ready.natural is None else self._score(self._ready.natural(self._apart))
        drawn = [
            parameterization.noise(self._options.seed, batch, self._engine.parameterization)
            for batch in _batches(list(range(NOISES)), self._batch)
        ]
        responses = [self._engine.measure(self._engine.pictures(noise), self._apart) for noise in drawn]
        noise = np.fmax.reduce(self._score(np.concatenate(responses, 1)), 1)
        most = np.full_like(noise, np.nan) if natural is None else np.fmax.reduce(natural, 1)
        return [_Limits(noise[n], None if natural is None else natural[n], most[n]) for n in range(len(noise))]

    def _check_finite(self, limits: _Limits) -> None:
        if not np.isfinite(limits.noise).any():
            raise ValueError(
                "No filter of the layer answers noise with a finite number: there is NaN or infinity in the weights "
                "up to it, or its numbers are too large for its dtype. Load weights of before the training diverged, "
                f"or choose a layer before those. Received: layer={self._name!r}"
            )

    def _score(self, responses: NDArray[np.float32]) -> NDArray[np.float32]:
        """Makes scores of what `Engine.measure` returned."""
        if not self._is_distinct:
            return responses
        return np.stack([distinct.lead(one, self._compared) for one in responses])

    def _score_own(
        self, pictures: NDArray[np.float32], indices: NDArray[np.int32], places: NDArray[np.int32]
    ) -> NDArray[np.float32]:
        """Measures the score of each picture's filter, `[batch]`."""
        if self._is_distinct:
            leads: NDArray[np.float32] = distinct.lead(self._engine.measure(pictures)[0], self._compared)
            return leads[np.arange(len(indices)), indices]
        return self._engine.measure_own(pictures, indices, places)

    def _failed(self, index: int, picture: _Picture) -> bool:
        measured = self._limits[picture.at_spots]
        limits = [picture.start, measured.noise[index], measured.most_natural[index]]
        if self._is_distinct:
            limits.append(0.0)  # then another filter is ahead
        return not np.isfinite(picture.reached) or any(picture.reached <= limit for limit in limits)

    def _silent(self, picture: _Picture) -> bool:
        """Whether a filter does not fire on average, as far as the picture can tell, and could do so at spots."""
        could = self._options.objective == "channel" and self._engine.finds_spots and not picture.at_spots
        return could and bool(picture.reached <= 0)

    def _made(self, done: dict[int, _Picture]) -> Made:
        filters = np.array(sorted(done), np.int64)
        pictures = [done[index] for index in filters]
        limits = [self._limits[one.at_spots] for one in pictures]
        shape = self._engine.shape
        # Scores are responses again; leads are of the negative responses themselves.
        sign = np.float32(-1 if self._options.negative and not self._is_distinct else 1)
        longest = max((len(one.curve) for one in pictures), default=0)
        curve = np.full((len(filters), longest + 1), np.nan, np.float32)
        for row, one in zip(curve, pictures, strict=True):
            row[: len(one.curve)] = one.curve
            row[len(one.curve)] = one.reached
        percentile = [
            np.nan
            if known.natural is None or not np.isfinite(one.reached)
            else 100 * (known.natural[:, index] < one.reached).mean()
            for index, one, known in zip(filters, pictures, limits, strict=True)
        ]

        def column(values: list[Any]) -> NDArray[np.float32]:
            return np.array(values, np.float32)

        return Made(
            filters,
            np.array([one.images for one in pictures], np.uint8).reshape(-1, *shape),
            sign * column([one.start for one in pictures]),
            sign * column([one.reached for one in pictures]),
            sign * column([known.noise[index] for index, known in zip(filters, limits, strict=True)]),
            sign * column([known.most_natural[index] for index, known in zip(filters, limits, strict=True)]),
            column(percentile),
            np.array([self._failed(index, done[index]) for index in filters], bool),
            sign * curve,
            np.array([one.at_spots for one in pictures], bool),
            len(self._hurried),
        )


def _replaces(new: _Picture, old: _Picture) -> bool:
    if new.at_spots == old.at_spots:
        return _better(new.reached, old.reached)
    # What fires nowhere on average gives way to what is made for spots, unless the time was over on the way.
    return new.complete and bool(np.isfinite(new.reached))


def _better(new: float, old: float) -> bool:
    return bool(np.isfinite(new) and not (np.isfinite(old) and new <= old))


def _devices() -> tuple[str | None, ...]:
    """Returns the devices of the `tf.distribute` strategy that is active; if none is, one that is not named."""
    if not tf.distribute.has_strategy():
        return (None,)
    return tuple(tf.distribute.get_strategy().extended.worker_devices)


def _batch_size(picture_bytes: int) -> int:
    most = _GPU_BATCH if tf.config.list_logical_devices("GPU") else _CPU_BATCH
    return max(1, min(most, engine.MEMORY // max(picture_bytes, 1)))


def _batches(filters: list[int], size: int) -> list[list[int]]:
    return [filters[at : at + size] for at in range(0, len(filters), size)]
