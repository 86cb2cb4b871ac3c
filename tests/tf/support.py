"""What several tests of patterns need."""

from __future__ import annotations

import signal
from typing import Any

import numpy as np

from tb_filterviz.patterns import engine


def averaged(response: Any) -> Any:
    """Averages `[n, height, width, filters]` away from the borders; what is below 0 counts a tenth."""
    inner = np.asarray(response)[:, 2:-2, 2:-2]
    return np.where(inner > 0, inner, inner / 10).mean((1, 2))


def interrupt_climb(monkeypatch: Any, number: int) -> None:
    """Sends the interrupt of a user as the climb of batch `number`, from 1, begins."""
    real, begun = engine.Engine.climb, []

    def climbing(*arguments: Any) -> Any:
        begun.append(1)
        if len(begun) == number:
            signal.raise_signal(signal.SIGINT)
        return real(*arguments)

    monkeypatch.setattr(engine.Engine, "climb", climbing)
