"""What several tests of patterns need."""

from __future__ import annotations

import signal
from typing import Any

import keras
import numpy as np

from tb_filterviz.patterns import engine


def averaged(response: Any) -> Any:
    """Averages `[n, *positions, filters]` without two positions, or a quarter of a side, at each border.

    What is below 0 counts a tenth.
    """
    response = np.asarray(response)
    positions = tuple(range(1, response.ndim - 1))
    for axis in positions:
        border = min(2, response.shape[axis] // 4)
        response = np.take(response, range(border, response.shape[axis] - border), axis)
    return np.where(response > 0, response, response / 10).mean(positions)


def interrupt_climb(monkeypatch: Any, number: int) -> None:
    """Sends the interrupt of a user as the climb of batch `number`, from 1, begins."""
    real, begun = engine.Engine.climb, []

    def climbing(*arguments: Any) -> Any:
        begun.append(1)
        if len(begun) == number:
            signal.raise_signal(signal.SIGINT)
        return real(*arguments)

    monkeypatch.setattr(engine.Engine, "climb", climbing)


def small(filters: int = 6, **options: Any) -> tuple[Any, Any]:
    """Returns a model of two layers, and the second one."""
    conv = keras.layers.Conv2D(filters, 3, activation="relu", name="conv", **options)
    first = keras.layers.Conv2D(5, 3, activation="elu", name="first")
    return keras.Sequential([keras.Input((None, None, 3)), first, conv]), conv


def silent() -> tuple[Any, Any]:
    """Returns `small()` whose last layer fires nowhere on average, and that layer."""
    model, conv = small()
    conv.set_weights([conv.get_weights()[0], np.full(6, -9.0)])
    return model, conv
