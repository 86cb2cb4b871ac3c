"""TensorBoard's way in.

Whatever fails at import or in `define_flags` keeps TensorBoard from starting, for every plugin: so this module imports
next to nothing. What fails in `load` is logged, and only this tab is missing.
"""

from __future__ import annotations

import argparse
from typing import Any

from tensorboard.plugins import base_plugin

_SAMPLES = 50  # steps a series that TensorBoard keeps in memory, where it would keep 10


class Loader(base_plugin.TBLoader):  # type: ignore[misc]  # tensorboard has no type information
    """Loads the Filters plugin."""

    def define_flags(self, parser: argparse.ArgumentParser) -> None:
        """Adds `--filterviz_cache_mb`."""
        group = parser.add_argument_group("Filters plugin")
        group.add_argument(
            "--filterviz_cache_mb",
            metavar="MB",
            type=int,
            default=256,
            help="memory for kernels and patterns that were shown lately, in megabytes (default: %(default)s)",
        )

    def fix_flags(self, flags: argparse.Namespace) -> None:
        """Has TensorBoard keep more steps of our series, unless the user said how many."""
        samples = getattr(flags, "samples_per_plugin", None)
        if isinstance(samples, dict):
            samples.setdefault("filterviz", _SAMPLES)

    def load(self, context: base_plugin.TBContext) -> Any:
        """Returns the plugin."""
        from tb_filterviz import plugin

        return plugin.FiltersPlugin(context)
