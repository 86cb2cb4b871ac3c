"""Numbers as files: arrays for NumPy, and tables for spreadsheets."""

from __future__ import annotations

import csv
import io
import itertools
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_filterviz.export.options import OptionError

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_WHOLE = ("dead", "duplicate_of", "opposite_of")
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first date that a zip can hold


def npy(array: NDArray[Any]) -> bytes:
    """Returns an array as `numpy.load` reads it."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def npz(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Returns named arrays as `numpy.load` reads them; unlike those of `numpy.savez`, the bytes never hold a date."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", _LONG_AGO)
            entry.create_system = 3
            archive.writestr(entry, npy(array))
    return file.getvalue()


def texts(strings: Sequence[str], most: int) -> NDArray[np.str_]:
    """Returns texts as an array, in which each takes as much room as the longest.

    Raises:
        OptionError: If that is more than `most` bytes, as names from a log can be long.
    """
    if 4 * len(strings) * max(map(len, strings), default=0) > most:
        raise OptionError("format", f"csv, as names that long would take more than {most} bytes", "npz")
    return np.array(strings, np.str_)


def cells(names: Sequence[str], row: NDArray[np.float32]) -> list[object]:
    """Returns what stands in a row of a table: filters, and yes or no, as integers; all other numbers as they are."""
    return [
        int(value) if name in _WHOLE and np.isfinite(value) else value for name, value in zip(names, row, strict=True)
    ]


def table(header: Sequence[str], rows: Iterable[Sequence[object]], most: int) -> bytes:
    """Returns a CSV file as RFC 4180 describes it, in UTF-8.

    A text that a spreadsheet would take for a formula has an apostrophe put before it, since names come from a log.
    float32 numbers are written with as many digits as bring the same number back.

    Args:
        header: Names of the columns.
        rows: What stands in them.
        most: The most bytes that it may have.

    Raises:
        OptionError: If it had more: names from a log can be long, and each row repeats them.
    """
    file = io.BytesIO()
    text = io.TextIOWrapper(file, "utf-8", "backslashreplace", newline="", write_through=True)
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC)  # some spreadsheets split at semicolons too
    for row in itertools.chain([header], rows):
        writer.writerow([_cell(one) for one in row])
        if file.tell() > most:
            raise OptionError("format", f"npz, or there must be fewer filters: a table may have {most} bytes", "csv")
    return file.getvalue()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
