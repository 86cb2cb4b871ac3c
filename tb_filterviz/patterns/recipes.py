"""Recipes: what a climb starts from, how it steps and what keeps its pictures readable."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Recipe:
    """The numbers of a climb.

    Attributes:
        name: Its name in `PatternOptions.recipe`.
        parameterization: `"pixel"`, `"fourier"` or `"maco"`: see `parameterization`.
        steps: Number of gradient steps unless the options say otherwise.
        rate: Length of the first step, in the unit of the parameterisation.
        last_rate: Length of the last one; the lengths between are on a line.
        momentum: Share of the previous step that is taken again (`"fourier"`).
        contrast: Standard deviation of the pictures before they are squashed into 0..1 (`"fourier"`, `"maco"`).
        decay: Exponent of the falling amplitude spectrum 1 / f^decay of a step (`"fourier"`, `"maco"`).
        jitter: Largest shift in each direction, as a share of a side.
        scale: Largest share by which a picture is made smaller or larger.
        rotate: Largest rotation, in degrees.
        exact: Whether its steps make so much of a last digit that they are to be computed in float32.
    """

    name: str
    parameterization: str
    steps: int
    rate: float
    last_rate: float
    momentum: float = 0.0
    contrast: float = 0.25
    decay: float = 1.0
    jitter: float = 0.0
    scale: float = 0.0
    rotate: float = 0.0
    exact: bool = False


RECIPES = {
    recipe.name: recipe
    for recipe in (
        # At 150 pixels 22 steps passed what the classic recipe reaches after 80, behind the ReLU, for all of 16 filters
        # of VGG16's block5_conv3; after 20 two of them did not. Long steps with much momentum let `decay` be small,
        # which reaches more, without the fine texture that it brings else. `tests.bench patterns` compares.
        Recipe("default", "fourier", steps=22, rate=0.4, last_rate=0.05, momentum=0.7, contrast=0.4, decay=0.6),
        # Steadier against shifts and turns, at several times the price. The transforms of Olah et al. 2017.
        Recipe(
            name="robust",
            parameterization="fourier",
            steps=64,
            rate=0.3,
            last_rate=0.05,
            momentum=0.5,
            contrast=0.3,
            decay=0.75,
            jitter=0.06,
            scale=0.1,
            rotate=10.0,
        ),
        Recipe("classic", "pixel", steps=80, rate=1.0, last_rate=1.0),
        Recipe("maco", "maco", steps=128, rate=1.0, last_rate=1.0, jitter=0.15, scale=0.3, exact=True),
    )
}
"""All recipes by name."""
