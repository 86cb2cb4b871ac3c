"""What a request names: a series by `run` and `tag`, a datum of it by `step`."""

from __future__ import annotations

from tensorboard import errors

from tb_filterviz.query import Query
from tb_filterviz.store import Datum, Series, Source


def series(query: Query, source: Source, suffix: str = "") -> Series:
    """Finds the series that `run` and `tag` name.

    Args:
        query: The request's parameters.
        source: What it may see.
        suffix: Of the parameters' names.

    Raises:
        tensorboard.errors.PublicError: If there is none, or a parameter is missing.
    """
    run, tag = query.text(f"run{suffix}"), query.text(f"tag{suffix}")
    found, problems = source.series(run, tag)
    if not found:
        reason = f": {problems[0].message}" if problems else ""
        raise errors.NotFoundError(f"there is no series with run {run!r} and tag {tag!r}{reason}")
    return found[0]


def datum(query: Query, series: Series, suffix: str = "") -> Datum:
    """Finds the datum that `step` names; raises as `series` does."""
    step = query.integer(f"step{suffix}")
    at = series.before(step)
    if at < len(series.data) and series.data[at].step == step:
        return series.data[at]
    first, last = series.data[0].step, series.data[-1].step
    raise errors.NotFoundError(f"the series has no step {step}; it has {len(series.data)}, from {first} to {last}")
