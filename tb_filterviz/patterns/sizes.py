"""Which sizes of pictures a model can run on, for the message about one that it cannot."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

_LARGEST = 1024
_SECONDS = 20.0


def advice(
    runs: Callable[[tuple[int, ...]], bool],
    sides: tuple[int, ...],
    own: tuple[int | None, ...],
    known: tuple[int | None, ...],
) -> str | None:
    """Finds sizes that work near one that does not.

    Args:
        runs: Whether the model runs on pictures of such sides.
        sides: The sides that do not work.
        own: Those of the model's input, None where they are open.
        known: Those that the model was built on, None where they were open.

    Returns:
        Words about what works; None where nothing is found within 20 seconds and 1024 pixels.

    Example:
        >>> advice(lambda sides: min(sides) >= 75, (32, 32), (None, None), (None, None))
        '75 works, 74 does not'
    """
    end = time.monotonic() + _SECONDS
    failing, working = sides[0], 0

    def scaled(first: int) -> tuple[int, ...]:
        grown = (math.ceil(side * first / sides[0]) for side in sides)
        return tuple(own_side or side for own_side, side in zip(own, grown, strict=True))

    built = tuple(side for side in known if side)
    if len(built) == len(sides) and built != sides and runs(built):
        if None not in own or built[0] < failing or scaled(built[0]) != built:
            return f"{_text(built)} works"
        working = built[0]
    if None not in own:
        return None
    while not working:
        if failing >= _LARGEST or time.monotonic() > end:
            return None
        trial = 2 * failing
        working, failing = (trial, failing) if runs(scaled(trial)) else (0, trial)
    while working - failing > 1 and time.monotonic() < end:
        trial = (working + failing) // 2
        working, failing = (trial, failing) if runs(scaled(trial)) else (working, trial)
    return f"{_text(scaled(working))} works, {_text(scaled(failing))} does not"


def _text(sides: tuple[int, ...]) -> str:
    return str(sides[0] if len(set(sides)) == 1 else sides)
