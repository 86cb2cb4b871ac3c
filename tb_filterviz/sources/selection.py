"""Which weights of a model are wanted, and what identifies each."""

from __future__ import annotations

import collections
import dataclasses
import difflib
import re
import warnings
from collections.abc import Callable, Sequence

from tb_filterviz.sources.weight import Weight

CONVOLUTION = "convolution"
"""Kind of a weight that is wanted unless `layers` says otherwise."""
MATRIX = "matrix"
"""Kind of a dense layer's weight: wanted only if `layers` names it or its layer."""
UNKNOWN = "unknown"
"""Kind of a custom layer's weight, which may be a convolution's: wanted only if `layers` names it or its layer."""

_LISTED = 10


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A weight of a model that may be wanted.

    Attributes:
        weight: The weight.
        kind: `CONVOLUTION`, `MATRIX` or `UNKNOWN`.
        names: What its layer may be called: its name and its path. The weight's own path counts too.
        containers: What the layers and models around its layer may be called.
        problem: Why it cannot be read, as a sentence that says what to do; empty if it can be.
    """

    weight: Weight
    kind: str
    names: tuple[str, ...]
    containers: tuple[str, ...] = ()
    problem: str = ""

    @property
    def label(self) -> str:
        """The weight's path and the class of its layer."""
        return f"{self.weight.layer.path} ({self.weight.layer.layer_class})"


@dataclasses.dataclass(frozen=True)
class Contents:
    """All that a model holds.

    Attributes:
        candidates: Its weights, in model order.
        others: `(name, path, class)` of each layer that holds no candidate.
    """

    candidates: Sequence[Candidate]
    others: Sequence[tuple[str, str, str]] = ()

    def __str__(self) -> str:
        """Returns the classes of its layers with their counts."""
        owners = {candidate.names: candidate.weight.layer.layer_class for candidate in self.candidates}
        counts = collections.Counter([*owners.values(), *(layer_class for _, _, layer_class in self.others)])
        if not counts:
            return "no layers at all"
        rest = len(counts) - _LISTED
        listed = ", ".join(f"{count} {name}" for name, count in counts.most_common(_LISTED))
        return listed + (f" and {rest} more kinds" if rest > 0 else "")


def unique_paths(given: Sequence[str], derived: Sequence[str]) -> list[str]:
    """Chooses an identity for each weight.

    Args:
        given: The framework's own name of each weight; frameworks repeat them.
        derived: Another name of each weight, from where it stands in its model; all different.

    Returns:
        The given name of a weight where nothing else is called so, else its derived name. All different.

    Example:
        >>> unique_paths(["c/kernel", "c/kernel", "d/kernel"], ["a/c/kernel", "b/c/kernel", "b/d/kernel"])
        ['a/c/kernel', 'b/c/kernel', 'd/kernel']
    """
    counts = collections.Counter(given)
    owner = {name: index for index, name in enumerate(derived)}
    return [
        name if counts[name] == 1 and owner.get(name, index) == index else derived[index]
        for index, name in enumerate(given)
    ]


def select(contents: Contents, layers: str | Sequence[str] | None) -> list[Weight]:
    """Selects the weights that are wanted. What it leaves out although it may be wanted, it warns about.

    Args:
        contents: What there is to choose from.
        layers: None for every convolution, or entries. An entry is the exact name of a layer (a layer or model that
            contains others stands for all convolutions inside), its path or the path of a weight; or a regular
            expression that matches one of them in full.

    Returns:
        The selected weights, once each, in model order; at least one.

    Raises:
        ValueError: If `layers` is of another type or empty, an entry matches nothing, matches only what has no
            weight to show or is no valid expression, a weight that it names cannot be read, or there is no
            convolution to choose.
    """
    if layers is None:
        wanted = {index for index, candidate in enumerate(contents.candidates) if candidate.kind == CONVOLUTION}
        if not wanted:
            raise ValueError(_no_convolution(contents))
        _warn_about_unknown(contents)
        return _readable(contents, wanted, named=set())
    matches = [_matches(entry, contents) for entry in _entries(layers)]
    named = {index for direct, _ in matches for index in direct}
    return _readable(contents, named.union(*(inside for _, inside in matches)), named)


def _entries(layers: object) -> list[str]:
    entries = [layers] if isinstance(layers, str) else layers
    if not isinstance(entries, (list, tuple, set, frozenset)) or not all(isinstance(entry, str) for entry in entries):
        raise ValueError(
            "`layers` must be None (every convolution), or one or a list of names, paths or regular expressions, each "
            f"a str. Received: layers={layers!r}"
        )
    if not entries:
        raise ValueError(f"`layers` is empty. Leave it out to take every convolution. Received: layers={layers!r}")
    return list(entries)


def _matches(entry: str, contents: Contents) -> tuple[list[int], list[int]]:
    """Returns the indices of the candidates that the entry names, and of those inside a container that it names."""
    matcher = _matcher(entry, contents)
    direct, inside = [], []
    for index, candidate in enumerate(contents.candidates):
        if any(map(matcher, (*candidate.names, candidate.weight.layer.path))):
            direct.append(index)
        elif candidate.kind == CONVOLUTION and any(map(matcher, candidate.containers)):
            inside.append(index)
    if not direct and not inside:
        raise ValueError(_no_match(entry, matcher, contents))
    return direct, inside


def _names(contents: Contents) -> list[str]:
    """Returns all that an entry may name, in model order, once each."""
    names = [
        name
        for candidate in contents.candidates
        for name in (*candidate.containers, *candidate.names, candidate.weight.layer.path)
    ]
    names += [name for *both, _ in contents.others for name in both]
    return list(dict.fromkeys(names))


def _matcher(entry: str, contents: Contents) -> Callable[[str], bool]:
    # Names come first: `conv(1)` is a name, and as an expression it would match only `conv1`.
    if entry in _names(contents):
        return lambda name: name == entry
    try:
        expression = re.compile(entry)
    except re.error as error:
        raise ValueError(
            f"`layers` has an entry that names no layer and is no valid regular expression: {error}. "
            f"Received: layers={entry!r}"
        ) from None
    return lambda name: expression.fullmatch(name) is not None


def _no_match(entry: str, matcher: Callable[[str], bool], contents: Contents) -> str:
    others = [f"{path} ({kind})" for name, path, kind in contents.others if matcher(name) or matcher(path)]
    if others:
        more = f" and {len(others) - _LISTED} more" if len(others) > _LISTED else ""
        return (
            f"`layers` has an entry that matches only layers without a kernel: {', '.join(others[:_LISTED])}{more}. "
            f"Received: layers={entry!r}"
        )
    names = _names(contents)
    near = difflib.get_close_matches(entry, names, n=5, cutoff=0.5)
    hint = "The nearest are" if near else "There are"
    return (
        f"`layers` has an entry that matches no layer. {hint}: "
        f"{', '.join(map(repr, near or names[:_LISTED])) or 'none'}. Received: layers={entry!r}"
    )


def _no_convolution(contents: Contents) -> str:
    message = f"`data` has no convolution. It has {contents}."
    selectable = [candidate.label for candidate in contents.candidates]
    if selectable:
        message += f" Other weights are shown if `layers` names them, such as {', '.join(selectable[:3])}."
    return message


def _warn_about_unknown(contents: Contents) -> None:
    unknown = [candidate.label for candidate in contents.candidates if candidate.kind == UNKNOWN]
    if unknown:
        warnings.warn(
            f"Left out, because how custom layers store their weights is not known: {', '.join(unknown)}. Name them "
            "in `layers` to read them as (*spatial, in, out); log the weight itself with its `layout` otherwise.",
            stacklevel=4,
        )


def _readable(contents: Contents, wanted: set[int], named: set[int]) -> list[Weight]:
    """Returns the weights that can be read; raises if none can, or one that was asked for by name cannot."""
    readable, failed, asked = [], [], []
    for index in sorted(wanted):
        candidate = contents.candidates[index]
        if not candidate.problem:
            readable.append(candidate.weight)
            continue
        failed.append(f"{candidate.label}: {candidate.problem}")
        if index in named:
            asked.append(failed[-1])
    if asked or not readable:
        raise ValueError(f"`data` has a weight that cannot be read. {(asked or failed)[0]}")
    if failed:
        warnings.warn(f"Left out, because they cannot be read: {' '.join(failed)}", stacklevel=4)
    return readable
