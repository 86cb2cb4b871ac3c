"""What the files of a run say of one tag, merged into one series: which datum of a step counts, and which are old."""

from __future__ import annotations

from collections.abc import Sequence

from tb_filterviz.store.eventfile import Entry, EventFileIndex
from tb_filterviz.store.series import Datum, Series


def merge(run: str, tag: str, files: Sequence[EventFileIndex]) -> Series | None:
    """Returns the series of a tag, or None where there are no data.

    Args:
        run: Name of the run.
        tag: The tag.
        files: The event files of the run in their order.

    Raises:
        wire.FormatError: If its metadata are not those of a series of ours.
    """
    written = [file.entries[tag] for file in files if tag in file.entries]
    by_step = latest(written)
    if not by_step:
        return None
    kind, description = _metadata(tag, files)
    data = tuple(Datum(run, tag, step, entry.wall_time, entry.place) for step, entry in sorted(by_step.items()))
    return Series(run, tag, kind, description, data, superseded=sum(map(len, written)) - len(data))


def latest(written: Sequence[Sequence[Entry]]) -> dict[int, Entry]:
    """Returns of each step the datum that counts.

    Args:
        written: The data of one tag, file by file in the order of the files, each in the order of writing.

    Returns:
        By step. Within a file nothing hides another step, in whatever order they were logged; of a step that is there
        twice the later one counts. A later file takes over from its lowest step on: what an earlier file has from
        there on is left out if it is older than the later file's first datum, as after a restart from a checkpoint.
        Two writers at the same time thus keep each other's steps.
    """
    kept: dict[int, Entry] = {}
    for entries in written:
        if not entries:
            continue
        lowest, begun = min(entry.step for entry in entries), entries[0].wall_time
        if kept and lowest <= max(kept):
            kept = {step: entry for step, entry in kept.items() if step < lowest or entry.wall_time >= begun}
        kept.update((entry.step, entry) for entry in entries)
    return kept


def _metadata(tag: str, files: Sequence[EventFileIndex]) -> tuple[str, str]:
    """Returns kind and description: what came first counts, as for TensorBoard."""
    for file in files:
        metadata = file.metadata.get(tag)
        if metadata is not None:
            return metadata.kind(), metadata.description
    return tag.rpartition(".")[2], ""  # all that no metadata leave is the suffix, which the index has looked at
