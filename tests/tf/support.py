"""What several tests of patterns need."""

from __future__ import annotations

import signal
from typing import Any

from tb_filterviz.patterns import engine


def interrupt_climb(monkeypatch: Any, number: int) -> None:
    """Sends the interrupt of a user as the climb of batch `number`, from 1, begins."""
    real, begun = engine.Engine.climb, []

    def climbing(*arguments: Any) -> Any:
        begun.append(1)
        if len(begun) == number:
            signal.raise_signal(signal.SIGINT)
        return real(*arguments)

    monkeypatch.setattr(engine.Engine, "climb", climbing)
