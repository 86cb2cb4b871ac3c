"""TensorBoard's way in.

Whatever fails at import or in `define_flags` keeps TensorBoard from starting, for every plugin: so this module imports
next to nothing. What fails in `load` is logged, and only this tab is missing.
"""

from __future__ import annotations

import argparse
from typing import Any

from tensorboard.plugins import base_plugin

_SAMPLES = 50  # steps a series that TensorBoard keeps in memory, where it would keep 10
_LEAST_SAMPLES = 1  # none at all, 0, means every one

SOURCES = ("auto", "tensorboard")
"""Where data come from: event files where that can be, or TensorBoard's loader always."""


def local_logdir(flags: argparse.Namespace | None) -> str | None:
    """Returns the log directory if its event files are to be read here, else None."""
    logdir: str = getattr(flags, "logdir", "") or ""
    elsewhere = getattr(flags, "logdir_spec", "") or getattr(flags, "grpc_data_provider", "") or "://" in logdir
    if elsewhere or getattr(flags, "filterviz_source", SOURCES[0]) != "auto":
        return None
    return logdir or None


class Loader(base_plugin.TBLoader):  # type: ignore[misc]  # tensorboard has no type information
    """Loads the Filters plugin."""

    def define_flags(self, parser: argparse.ArgumentParser) -> None:
        """Adds `--filterviz_cache_mb` and `--filterviz_source`."""
        group = parser.add_argument_group("Filters plugin")
        group.add_argument(
            "--filterviz_cache_mb",
            metavar="MB",
            type=int,
            default=256,
            help="memory for kernels and patterns that were shown lately, in megabytes (default: %(default)s)",
        )
        group.add_argument(
            "--filterviz_source",
            choices=SOURCES,
            default=SOURCES[0],
            help="where the Filters tab reads: auto, the event files themselves where --logdir is a local directory, "
            "every step and little memory; tensorboard, what TensorBoard's own loader keeps (default: %(default)s)",
        )

    def fix_flags(self, flags: argparse.Namespace) -> None:
        """Says how many steps of our series TensorBoard keeps in memory, unless the user did.

        The fewest where the tab reads event files itself; else more than TensorBoard would.
        """
        samples = getattr(flags, "samples_per_plugin", None)
        if isinstance(samples, dict):
            samples.setdefault("filterviz", _LEAST_SAMPLES if local_logdir(flags) else _SAMPLES)

    def load(self, context: base_plugin.TBContext) -> Any:
        """Returns the plugin."""
        from tb_filterviz import plugin

        return plugin.FiltersPlugin(context)
