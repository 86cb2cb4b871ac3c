"""Numbers as files: arrays for NumPy, and tables for spreadsheets."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
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


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Returns a CSV file as RFC 4180 describes it, in UTF-8.

    A text that a spreadsheet would take for a formula has an apostrophe put before it, since names come from a log.
    float32 numbers are written with as many digits as bring the same number back.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)  # some spreadsheets split at semicolons too
    for row in (header, *rows):
        writer.writerow([_cell(one) for one in row])
    return file.getvalue().encode("utf-8", "backslashreplace")


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
