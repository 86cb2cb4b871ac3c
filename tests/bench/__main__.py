"""Measures what the project promises, each against a contender in the same run: `make bench`.

Names of modules as arguments, such as `python -m tests.bench store`, choose some. `python -m tests.bench patterns`
has options of its own, and is not among them.

Prints Markdown. Ratios mean something; milliseconds are of the machine at hand.
"""

from __future__ import annotations

import pathlib
import sys
import tempfile

from tests.bench import drawing, importing, live, logging, serving, store, views


def main() -> None:
    """Runs the benchmarks that are named, by default all."""
    names = sys.argv[1:]
    if names[:1] == ["patterns"]:
        from tests.bench.patterns import report  # imports TensorFlow

        report.run(names[1:])
        return
    with tempfile.TemporaryDirectory() as scratch:
        directory = pathlib.Path(scratch)
        for name, title, lines in (
            ("importing", "Importing", importing.measure()),
            ("logging", "Logging the 13 kernels of VGG16, 58.8 MB in float32", logging.measure(directory / "logging")),
            ("serving", "Serving a kernel (3, 3, 512, 512)", serving.measure(directory / "serving")),
            ("drawing", "Drawing it in headless Chromium, after `serving`", drawing.measure(directory / "serving")),
            ("live", "A log that grows while the tab is open", live.measure(directory / "live")),
            ("store", "The store, on a log of 6 GB", store.measure(directory / "store")),
            ("views", "The tab, and the analysis behind it", views.measure(directory / "views")),
        ):
            if names and name not in names:
                continue
            print(f"\n### {title}\n\n| what | figure | bar |\n|---|---|---|")
            for line in lines:
                print("| " + " | ".join(line) + " |", flush=True)


if __name__ == "__main__":
    main()
