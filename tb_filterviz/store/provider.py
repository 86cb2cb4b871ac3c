"""Series from TensorBoard's `DataProvider`: whatever its loader has kept, local or remote."""

from __future__ import annotations

import concurrent.futures
import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import grpc
from tensorboard import errors
from tensorboard.data import provider as tb_provider

from tb_filterviz import wire
from tb_filterviz.store.series import Datum, DatumGoneError, Problem, Series, SourceUnavailableError, run_order

_EVERY_SAMPLE = 10**9  # the provider takes 0 for none, and has no word for all
_MAX_ELEMENTS = 1 << 17  # a claim of more would make TensorBoard's Python loader build as many objects
_READERS = 8

Memo = dict[tuple[str, str, str], tuple[object, Series]]
"""Series as they were read last, by experiment, run and tag, with what the provider said of them then."""

_readers = concurrent.futures.ThreadPoolExecutor(_READERS, thread_name_prefix="filterviz-provider")


class ProviderSource:
    """The series of one experiment, as one request may see them."""

    revision = 0

    def __init__(self, provider: Any, context: Any, experiment_id: str, memo: Memo) -> None:
        """Takes a `DataProvider`, the `RequestContext` of the request, the experiment's ID ("" locally) and a memo.

        The memo is for all requests of a process: the data server takes 40 ms to list the steps of a series, and less
        than one to say whether it has changed.
        """
        self._provider = provider
        self._context = context
        self._experiment_id = experiment_id
        self._memo = memo

    def series(self, run: str | None = None, tag: str | None = None) -> tuple[list[Series], list[Problem]]:
        """Lists all series, or those of one run and tag, and what cannot be listed."""
        found: list[Series] = []
        problems: list[Problem] = []
        with _answering():
            listed = self._provider.list_blob_sequences(
                self._context,
                experiment_id=self._experiment_id,
                plugin_name=wire.PLUGIN_NAME,
                run_tag_filter=_only(run, tag),
            )
        if run is None and tag is None:
            self._forget_all_but({(run, tag) for run, tags in listed.items() for tag in tags})
        for run_name in sorted(listed, key=run_order):
            changed = {}
            for tag_name, listing in listed[run_name].items():
                known, series = self._memo.get((self._experiment_id, run_name, tag_name), (None, None))
                if series is not None and known == listing:
                    found.append(series)
                    continue
                try:
                    changed[tag_name] = (listing, _kind(listing))
                except wire.FormatError as error:
                    problems.append(Problem(run_name, tag_name, None, str(error)))
            if changed:
                found += self._read_steps(run_name, changed)
        return found, problems

    def _forget_all_but(self, present: set[tuple[str, str]]) -> None:
        for key in list(self._memo):
            if key[0] == self._experiment_id and key[1:] not in present:
                self._memo.pop(key, None)

    def _read_steps(self, run: str, listings: dict[str, tuple[Any, str]]) -> list[Series]:
        with _answering():
            sequences = self._provider.read_blob_sequences(
                self._context,
                experiment_id=self._experiment_id,
                plugin_name=wire.PLUGIN_NAME,
                downsample=_EVERY_SAMPLE,
                run_tag_filter=tb_provider.RunTagFilter(runs=[run], tags=list(listings)),
            )
        found = []
        for tag, sequence in sequences.get(run, {}).items():
            listing, kind = listings[tag]
            # By time, so that where a step is there twice the newest is kept.
            data = {
                datum.step: Datum(run, tag, datum.step, datum.wall_time, tuple(blob.blob_key for blob in datum.values))
                for datum in sorted(sequence, key=lambda datum: datum.wall_time)
            }
            if data:
                series = Series(run, tag, kind, listing.description, tuple(data[step] for step in sorted(data)))
                self._memo[self._experiment_id, run, tag] = (listing, series)
                found.append(series)
        return found

    def read(self, datum: Datum, elements: Sequence[int]) -> list[bytes]:
        """Reads elements of a datum side by side: most of the time goes into waiting for the data server."""
        if len(elements) == 1:
            return [self._read_one(datum, elements[0])]
        return list(_readers.map(lambda element: self._read_one(datum, element), elements))

    def _read_one(self, datum: Datum, element: int) -> bytes:
        keys = datum.place
        assert isinstance(keys, tuple)
        if element >= len(keys):
            raise wire.FormatError(f"the datum has {len(keys)} elements, and element {element} is missing")
        try:
            with _answering():
                blob = self._provider.read_blob(self._context, blob_key=keys[element])
        except errors.NotFoundError as error:
            self._memo.pop((self._experiment_id, datum.run, datum.tag), None)
            raise DatumGoneError(str(error)) from error
        except errors.InvalidArgumentError as error:  # the data server cannot parse keys with quotes in the run's name
            raise wire.FormatError(f"TensorBoard's data server cannot read it: {error}") from error
        except (IndexError, TypeError, ValueError) as error:  # the Python loader's, for what is no blob sequence
            raise wire.FormatError(f"it is not a blob sequence: {error}") from error
        if not isinstance(blob, bytes):
            raise wire.FormatError(f"element {element} is {type(blob).__name__}, not bytes")
        return blob


@contextlib.contextmanager
def _answering() -> Iterator[None]:
    """Says so where TensorBoard's data server is gone, as it is while TensorBoard ends."""
    try:
        yield
    except grpc.RpcError as error:
        raise SourceUnavailableError(f"TensorBoard's data server does not answer: {error.code().name}") from error


def _only(run: str | None, tag: str | None) -> Any:
    return tb_provider.RunTagFilter(runs=None if run is None else [run], tags=None if tag is None else [tag])


def _kind(listing: Any) -> str:
    """Returns the kind of a series that may be read."""
    kind = wire.parse_metadata(listing.plugin_content)
    if listing.max_length > _MAX_ELEMENTS:
        raise wire.FormatError(f"a datum claims {listing.max_length} elements")
    return kind
