"""What `import tb_filterviz` takes beyond `import numpy`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from tests.bench.timing import alternate


def measure() -> Iterator[tuple[str, str, str]]:
    """Yields (what, figure, bar)."""
    modules = ("numpy", "tb_filterviz", "tb_filterviz.loader")
    seconds = alternate({module: lambda module=module: _import(module) for module in modules})
    package, loader = seconds["tb_filterviz"] - seconds["numpy"], seconds["tb_filterviz.loader"] - seconds["numpy"]
    yield "`import tb_filterviz` beyond `import numpy`", f"{package:.3f} s", "0.2 s"
    yield "the plugin's entry point, with TensorBoard's base class, beyond it", f"{loader:.3f} s", ""


def _import(module: str) -> None:
    subprocess.run([sys.executable, "-c", f"import numpy, {module}"], check=True)
