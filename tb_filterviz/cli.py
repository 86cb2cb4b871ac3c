"""The program `tb-filterviz`: what a log holds, and figures, animations, arrays and tables of it, without a server.

It ends with 0 if all is well, 2 if it was asked for what cannot be, and 1 if what is there is damaged, or a file cannot
be read or written.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import sys
from collections.abc import Sequence

from tb_filterviz import colormap, reader, wire
from tb_filterviz.export import texts
from tb_filterviz.export.figure import CONTENT_TYPES, Figure
from tb_filterviz.export.make import WHAT
from tb_filterviz.export.options import LIMITS, THEMES, OptionError
from tb_filterviz.export.place import NoFilterError
from tb_filterviz.slices import SELECTIONS
from tb_filterviz.store import DatumGoneError

_DAMAGED, _WRONG = 1, 2
_EXAMPLES = """examples:
  tb-filterviz ls logs
  tb-filterviz export logs --run train --layer conv1/kernel -o conv1.png
  tb-filterviz export logs --layer conv2/kernel --filters 7 --inputs all --width 1200 --theme dark -o filter7.svg
  tb-filterviz export logs --layer conv1/kernel --what history --fps 8 -o training.gif
  tb-filterviz export logs --layer conv1/kernel --what numbers -o numbers.csv
  tb-filterviz export logs --run train --what numbers -o all-layers.csv
  tb-filterviz export logs --layer conv1/kernel --what compare --step 0 --step-b 500 -o change.png
  tb-filterviz export logs --run train --what overview -o layers.png
"""
_LAYER_HELP = (
    "one that `ls` names (default: the only one; of numbers every one, however many, in a table that says why some are "
    "missing: then neither --filters nor patterns can be asked for)"
)
_STEP_HELP = (
    "one that was logged; of all layers, as for an overview, any: each layer is at its newest step up to it (default: "
    "-1, the newest)"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program.

    Args:
        arguments: Those after its name; the default is those of the process.

    Returns:
        The exit status.

    Example:
        >>> main(["ls", "/nowhere"])
        2
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        (_list if given.command == "ls" else _export)(given)
    except (wire.FormatError, DatumGoneError) as error:
        return _complain(_DAMAGED, f"this cannot be read: {error}" if str(error) else "this is not there any more")
    except NotADirectoryError as error:
        return _complain(_WRONG, str(error))
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - it lasts as long as the process
        return _DAMAGED
    except OSError as error:
        return _complain(_DAMAGED, str(error))
    except (KeyError, NoFilterError, ValueError) as error:
        return _complain(_WRONG, str(error.args[0] if error.args else error))
    return 0


def _complain(status: int, message: str) -> int:
    print(f"tb-filterviz: error: {message}", file=sys.stderr)
    return status


def _list(given: argparse.Namespace) -> None:
    log = reader.read(given.logdir)
    for run in log.runs():
        for layer in log.layers(run):
            for kind in (wire.KERNEL, wire.PATTERNS):
                try:
                    steps = log.steps(run, layer, kind)
                except KeyError:
                    continue
                print(repr(run), repr(layer), kind, f"{len(steps)} steps, {steps[0]} to {steps[-1]}")
    for problem in log.problems():
        print(f"tb-filterviz: {problem!r}", file=sys.stderr)


def _export(given: argparse.Namespace) -> None:
    form = given.format or pathlib.Path(given.output).suffix[1:].lower()
    if form not in CONTENT_TYPES:
        raise OptionError("format", f"one of {', '.join(CONTENT_TYPES)}, here or as the suffix of the file", form)
    content = _figure(given).encode(form)
    if given.output == "-":
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        pathlib.Path(given.output).write_bytes(content)


def _figure(given: argparse.Namespace) -> Figure:
    """Returns what was asked for; raises as `reader.Log` does."""
    log = reader.read(given.logdir)
    run = given.run if given.run is not None else _only("run", log.runs())
    options = texts.options({name: text for name in texts.NAMES if (text := getattr(given, name)) is not None})
    if given.what == "overview":
        return log.overview(run, given.step, **vars(options))
    filters = texts.filters(given.filters)
    if given.what == "numbers" and given.layer is None:
        kind = given.kind or wire.KERNEL
        return log.numbers(run, step=given.step, kind=kind, filters=filters, depth=options.depth)
    layer = given.layer if given.layer is not None else _only("layer", log.layers(run))
    if given.what == "compare":
        other = {"run_b": given.run_b, "layer_b": given.layer_b, "step_b": given.step_b}
        return log.compare(run, layer, given.step, **other, filters=filters, **vars(options))
    kind = wire.PATTERNS if given.what == "patterns" or given.kind == "patterns" else wire.KERNEL
    return log.figure(given.what, run, layer, given.step, kind=kind, filters=filters, options=options)


def _only(what: str, names: Sequence[str]) -> str:
    if len(names) != 1:
        known = ", ".join(map(repr, names)) or "none"
        raise OptionError(what, f"given where there is not exactly one; there are {known}", None)
    return names[0]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "tb-filterviz", description=__doc__, epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    listing = commands.add_parser("ls", help="list runs, layers and steps")
    export = commands.add_parser("export", help="write a figure, an animation, arrays or a table")
    for command in (listing, export):
        command.add_argument("logdir", metavar="LOGDIR", help="as for `tensorboard --logdir`")
    add = export.add_argument
    add("-o", "--output", metavar="FILE", required=True, help="where to write; - is the standard output")
    add("--format", choices=list(CONTENT_TYPES), help="the default is the suffix of FILE")
    add("--run", help="the default is the only one")
    add("--layer", help=_LAYER_HELP)
    add("--step", type=int, default=-1, help=_STEP_HELP)
    add("--what", choices=(*WHAT, "compare", "overview"), default=WHAT[0], help="(default: %(default)s)")
    add("--run-b", metavar="RUN", help="what it is compared with (default: the same run)")
    add("--layer-b", metavar="LAYER", help="what it is compared with (default: the same layer)")
    add("--step-b", metavar="STEP", type=int, default=-1, help="what it is compared with (default: -1, the newest)")
    add("--match", help="of a comparison: index, or likeness: pair filters that are most alike (default: index)")
    add("--kind", choices=(wire.KERNEL, wire.PATTERNS), help="of numbers and histories (default: kernel)")
    add("--filters", default="all", help="all, 7, 0:64 (half-open) or 0,3,9 (default: %(default)s)")
    add(
        "--inputs",
        help=f"slices: {', '.join(SELECTIONS)} or the index of an input (default: rgb for 3, else strongest)",
    )
    add("--limit", help=f"what the last colours stand for: {', '.join(LIMITS)} or a number (default: layer)")
    add("--colormap", help=f"{', '.join(colormap.MAPS)} (default: bluered, night on dark)")
    add("--theme", help=f"{' or '.join(THEMES)} (default: light)")
    add("--scale", help="pixels along each side of a weight")
    add("--width", help="pixels of the figure's width, in place of --scale")
    add("--columns", help="tiles in a row")
    add("--caption", metavar="TEXT", help="a text in place of what is written above; false: none")
    add("--labels", metavar="BOOL", help="true or false: indices of filters, inputs, steps")
    add("--bar", metavar="BOOL", help="true or false: the scale of colours")
    add("--frames", metavar="N", help="the most steps of a history")
    add("--fps", metavar="N", help="frames a second of an animation (default: 4)")
    add("--depth", help="of numbers: stored, or full, with those that are computed from the weights (default: full)")
    return parser
