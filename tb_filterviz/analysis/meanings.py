# ruff: noqa: RUF001 - what people read is set as in a book
"""What each number is called and what it says, for whoever shows numbers to people."""

from __future__ import annotations

from typing import NamedTuple

from tb_filterviz.analysis.rows import DEAD_SHARE
from tb_filterviz.analysis.similarity import DUPLICATE_COSINE


class Meaning(NamedTuple):
    """Of one number.

    Attributes:
        label: What it is called beside its value; empty where it is shown in another way than as a number.
        sentence: What it says, in plain text.
        unit: `"%"` for a share of 0 to 1 that is read in percent, `"°"` for degrees, or empty.
    """

    label: str
    sentence: str
    unit: str = ""


_CHANGE = "|after − before| / |before|: 0 is unchanged, 1 as much as there was"
_COSINE = "1: only the scale changed; 0: nothing in common; −1: the negative"
_SOURCE = "(CNN Filter DB, CVPR 2022)"

MEANINGS = {
    "norm": Meaning("L2 norm", "Root of the sum of the squares of all weights"),
    "min": Meaning("Minimum", "The smallest weight"),
    "max": Meaning("Maximum", "The largest weight"),
    "mean": Meaning("Mean", "Of all weights"),
    "std": Meaning("Std. deviation", "Of all weights, about their mean"),
    "near_zero": Meaning("Near zero", "Share of weights smaller than 1% of the layer’s largest", "%"),
    "nonfinite": Meaning("Not finite", "How many weights are not a number or infinite"),
    "l1": Meaning("L1 norm", "Sum of the magnitudes of all weights"),
    "high_frequency": Meaning(
        "High frequencies", "Share of the spectral power above 0.25 cycles a pixel: 0 is smooth, 1 alternates", "%"
    ),
    "orientation": Meaning(
        "Orientation", "The direction of fastest change: 0° from left to right, 90° from top to bottom", "°"
    ),
    "orientation_strength": Meaning("", "0: no direction stands out; 1: everything changes along one"),
    "colour": Meaning("Colour", "Share of the filter that is not grey: 0 sees brightness alone, 1 colour alone", "%"),
    "change": Meaning("Change since step before", _CHANGE),
    "cosine": Meaning("Cosine, step before", _COSINE),
    "change_first": Meaning("Change since first step", _CHANGE),
    "cosine_first": Meaning("Cosine, first step", _COSINE),
    "dead": Meaning("", f"an L2 norm below {DEAD_SHARE:.0%} of the layer’s largest"),
    "duplicate_of": Meaning("", f"a cosine above {DUPLICATE_COSINE} with another"),
    "opposite_of": Meaning("", f"nearly the negative of another, a cosine below −{DUPLICATE_COSINE}"),
    "randomness": Meaning(
        "Random",
        f"Variance entropy over its bound for random 3×3 slices: near 1 is untrained, near 0 redundant {_SOURCE}",
    ),
    "orthogonality": Meaning("Orthogonal", f"1 − mean |cosine| of all pairs of filters: 1 where all differ {_SOURCE}"),
    "sparsity": Meaning("Sparse", f"Share of slices below 1% of the layer’s largest weight {_SOURCE}"),
    "basis": Meaning(
        "Basis of slices",
        f"The principal components of all slices, and the share of their variance that each explains {_SOURCE}",
        "%",
    ),
    "dtype": Meaning("", "Numbers are those of the exact weights, pictures those of the stored ones"),
    "superseded": Meaning("", "Newer data took their place, as after a restart"),
    "likeness": Meaning(
        "",
        "By likeness: of all filters that are left, the two with the largest cosine become a pair, again and again",
    ),
}
"""By the names that numbers have in `NUMBERS`, `COLUMNS` and in the answers of the server."""
