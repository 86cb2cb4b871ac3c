"""Series from TensorBoard's `DataProvider`: whatever its loader has kept, local or remote."""

from __future__ import annotations

import re
from typing import Any

from tensorboard import errors
from tensorboard.data import provider as tb_provider

from tb_filterviz import wire
from tb_filterviz.store.series import Datum, DatumGoneError, Problem, Series

_EVERY_SAMPLE = 10**9  # the provider takes 0 for none, and has no word for all
_MAX_ELEMENTS = 1 << 17  # a claim of more would make TensorBoard's Python loader build as many objects


class ProviderSource:
    """The series of one experiment, as one request may see them."""

    def __init__(self, provider: Any, context: Any, experiment_id: str) -> None:
        """Takes a `DataProvider`, the `RequestContext` of the request and the experiment's ID ("" locally)."""
        self._provider = provider
        self._context = context
        self._experiment_id = experiment_id

    def series(self, run: str | None = None, tag: str | None = None) -> tuple[list[Series], list[Problem]]:
        """Lists all series, or those of one run and tag, and what cannot be listed."""
        found: list[Series] = []
        problems: list[Problem] = []
        wanted = tb_provider.RunTagFilter(runs=None if run is None else [run], tags=None if tag is None else [tag])
        listed = self._provider.list_blob_sequences(
            self._context,
            experiment_id=self._experiment_id,
            plugin_name=wire.PLUGIN_NAME,
            run_tag_filter=wanted,
        )
        for run_name in sorted(listed, key=_natural):
            tags = {}
            for tag_name, series in listed[run_name].items():
                try:
                    tags[tag_name] = (wire.parse_metadata(series.plugin_content), series.description)
                    if series.max_length > _MAX_ELEMENTS:
                        raise wire.FormatError(f"a datum claims {series.max_length} elements")
                except wire.FormatError as error:
                    tags.pop(tag_name, None)
                    problems.append(Problem(run_name, tag_name, None, str(error)))
            if not tags:
                continue
            steps = self._provider.read_blob_sequences(
                self._context,
                experiment_id=self._experiment_id,
                plugin_name=wire.PLUGIN_NAME,
                downsample=_EVERY_SAMPLE,
                run_tag_filter=tb_provider.RunTagFilter(runs=[run_name], tags=list(tags)),
            )
            for tag_name, sequence in steps.get(run_name, {}).items():
                kind, description = tags[tag_name]
                # By time, so that where a step is there twice the newest is kept.
                data = {
                    d.step: Datum(run_name, tag_name, d.step, d.wall_time, tuple(b.blob_key for b in d.values))
                    for d in sorted(sequence, key=lambda datum: datum.wall_time)
                }
                if data:
                    ascending = tuple(data[step] for step in sorted(data))
                    found.append(Series(run_name, tag_name, kind, description, ascending))
        return found, problems

    def read(self, datum: Datum, element: int) -> bytes:
        """Reads one element of a datum."""
        if element >= len(datum.elements):
            raise wire.FormatError(f"the datum has {len(datum.elements)} elements, and element {element} is missing")
        try:
            blob = self._provider.read_blob(self._context, blob_key=datum.elements[element])
        except errors.NotFoundError as error:
            raise DatumGoneError(str(error)) from error
        except errors.InvalidArgumentError as error:  # the data server cannot parse keys with quotes in the run's name
            raise wire.FormatError(f"TensorBoard's data server cannot read it: {error}") from error
        except (
            IndexError,
            TypeError,
            ValueError,
        ) as error:  # the Python loader's, for a tensor that is no blob sequence
            raise wire.FormatError(f"it is not a blob sequence: {error}") from error
        if not isinstance(blob, bytes):
            raise wire.FormatError(f"element {element} is {type(blob).__name__}, not bytes")
        return blob


def _natural(run: str) -> list[tuple[int, str]]:
    """Sorts as TensorBoard's run selector does: digits by value."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]+)", run)]
