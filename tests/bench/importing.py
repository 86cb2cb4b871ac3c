"""What `import tb_filterviz` takes beyond `import numpy`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from tests.bench.timing import alternate


def measure() -> Iterator[tuple[str, str, str]]:
    """Yields (what, figure, bar)."""
    modules = ("numpy", "tb_filterviz", "tb_filterviz.loader")
    seconds = alternate({m: lambda m=m: subprocess.run([sys.executable, "-c", f"import numpy, {m}"], check=True) for m in modules})
    yield "`import tb_filterviz` beyond `import numpy`", f"{seconds['tb_filterviz'] - seconds['numpy']:.3f} s", "0.2 s"
    yield "the plugin's entry point beyond that", f"{seconds['tb_filterviz.loader'] - seconds['tb_filterviz']:.3f} s", ""
