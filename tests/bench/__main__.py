"""Measures what the project promises, each against a contender in the same run: `make bench`.

Prints Markdown. Ratios mean something; milliseconds are of the machine at hand.
"""

from __future__ import annotations

import pathlib
import tempfile

from tests.bench import drawing, importing, logging, serving


def main() -> None:
    """Runs all benchmarks."""
    with tempfile.TemporaryDirectory() as scratch:
        directory = pathlib.Path(scratch)
        for title, lines in (
            ("Importing", importing.measure()),
            ("Logging the 13 kernels of VGG16, 58.8 MB in float32", logging.measure(directory / "logging")),
            ("Serving a kernel (3, 3, 512, 512)", serving.measure(directory / "serving")),
            ("Drawing a kernel (3, 3, 512, 512) in headless Chromium", drawing.measure(directory / "serving")),
        ):
            print(f"\n### {title}\n\n| what | figure | bar |\n|---|---|---|")
            for line in lines:
                print("| " + " | ".join(line) + " |", flush=True)


if __name__ == "__main__":
    main()
