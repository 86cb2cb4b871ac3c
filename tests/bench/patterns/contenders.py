"""Who makes the pictures. Each takes a model, a layer and filters, and returns uint8 pictures as it would show them."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import pathlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image

from tb_filterviz import generate_patterns
from tb_filterviz.patterns.distinct import PATIENCE
from tb_filterviz.patterns.recipes import RECIPES
from tests.bench.patterns import networks

PEERS = pathlib.Path(".venvs/peers")
"""Where the two libraries are installed, beside the project's own environments."""

OURS, OURS_FULL, OURS_DISTINCT = ALL_OURS = "ours", "ours, float32", "ours, distinct"
"""The default recipe in the precision of its choice, which may be bfloat16; in that in which others compute; and for
what sets filters apart."""

_REFERENCE = 200


@dataclasses.dataclass(frozen=True)
class Contender:
    """Who makes pictures.

    Attributes:
        steps: Steps that it takes by default.
        quick: Whether it can be asked for all filters of the comparison.
        make: Makes uint8 pictures `[filters, side, side, 3]`, as it would show them, of a model, a layer's name,
            indices of filters, a seed and a number of steps.
    """

    steps: int
    quick: bool
    make: Callable[[keras.Model, str, list[int], int, int], NDArray[np.uint8]]


def ours(model: keras.Model, layer: str, filters: list[int], seed: int, steps: int, **more: Any) -> NDArray[np.uint8]:
    """The default recipe."""
    given = {"size": _side(model), "input_range": (0, 255), "seed": seed, "steps": steps, "progress": False}
    return generate_patterns(model, layer, filters, **given, **more).images


def distinct(model: keras.Model, layer: str, filters: list[int], seed: int, steps: int) -> NDArray[np.uint8]:
    """The default recipe for what sets a filter apart, by other cuts of photographs than those that judge it."""
    natural = networks.natural(_side(model), _REFERENCE, seed=1)
    return ours(model, layer, filters, seed, steps, objective="distinct", reference=natural)


class Classic:
    """The recipe that everybody copies, one filter at a time.

    F. Chollet, "How convolutional neural networks see the world", The Keras Blog, 2016: from grey and noise, 80 steps
    along the gradient divided by its root mean square; the picture is stretched to a standard deviation of .1.

    Args:
        compiled: Whether a step is a `tf.function`, which is kept for the next call.
    """

    def __init__(self, compiled: bool) -> None:
        self._compiled = compiled
        self._steps: dict[tuple[int, str], Callable[..., Any]] = {}

    def __call__(self, model: keras.Model, layer: str, filters: list[int], seed: int, steps: int) -> NDArray[np.uint8]:
        """See `Contender.make`."""
        key = (id(model), layer)
        if key not in self._steps:
            self._steps[key] = self._step(keras.Model(model.inputs, model.get_layer(layer).output))
        images = []
        for index in filters:
            shape = (1, _side(model), _side(model), 3)
            noise = np.random.default_rng((seed, index)).uniform(128, 148, shape)
            picture = tf.constant(noise, tf.float32)
            for _ in range(steps):
                picture = self._steps[key](picture, tf.constant(index))
            images.append(_stretched(picture.numpy()[0]))
        return np.stack(images)

    def _step(self, cut: keras.Model) -> Callable[..., Any]:
        def step(picture: Any, index: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(picture)
                loss = tf.reduce_mean(tf.gather(cut(picture, training=False), index, axis=3))
            gradient = tape.gradient(loss, picture)
            return picture + gradient / (tf.sqrt(tf.reduce_mean(tf.square(gradient))) + 1e-5)

        return tf.function(step) if self._compiled else step


def tf_keras_vis(model: keras.Model, layer: str, filters: list[int], seed: int, steps: int) -> NDArray[np.uint8]:
    """Its defaults as its documentation uses them for filters, one filter at a time."""
    from tf_keras_vis.activation_maximization import ActivationMaximization
    from tf_keras_vis.utils.model_modifiers import ExtractIntermediateLayer, ReplaceToLinear
    from tf_keras_vis.utils.scores import CategoricalScore

    keras.utils.set_random_seed(seed)
    modifiers = [ExtractIntermediateLayer(index_or_name=layer), ReplaceToLinear()]
    climb = ActivationMaximization(model, model_modifier=modifiers, clone=True)
    pictures = [np.asarray(climb(CategoricalScore(index), steps=steps)) for index in filters]
    return np.clip(np.rint(np.concatenate(pictures)), 0, 255).astype(np.uint8)


def xplique(model: keras.Model, layer: str, filters: list[int], seed: int, steps: int) -> NDArray[np.uint8]:
    """Its defaults, on 512 x 512 pixels, all filters in one batch, here shrunk to the size of the others."""
    from xplique.features_visualizations import Objective, optimize

    keras.utils.set_random_seed(seed)
    pictures, _ = optimize(Objective.channel(model, layer, list(filters)), values_range=(0, 255), nb_steps=steps)
    shown = np.clip(np.rint(np.asarray(pictures[-1])), 0, 255).astype(np.uint8)
    size = (_side(model), _side(model))
    return np.stack([np.asarray(Image.fromarray(one).resize(size, Image.Resampling.LANCZOS)) for one in shown])


def contenders() -> dict[str, Contender]:
    """Returns all contenders by name; of the two libraries, those that can be installed and run."""
    found = {
        OURS: Contender(RECIPES["default"].steps, True, ours),
        OURS_FULL: Contender(RECIPES["default"].steps, True, functools.partial(ours, compute_dtype="float32")),
        OURS_DISTINCT: Contender(PATIENCE * RECIPES["default"].steps, True, distinct),
        "classic, eager": Contender(80, True, Classic(compiled=False)),
        "classic, tf.function": Contender(80, True, Classic(compiled=True)),
    }
    error = _install()
    for name, module, contender in (
        ("tf-keras-vis", "tf_keras_vis.activation_maximization", Contender(200, False, tf_keras_vis)),
        ("xplique", "xplique.features_visualizations", Contender(256, False, xplique)),
    ):
        try:
            importlib.import_module(module)
        except ImportError as failed:
            print(f"{name} is left out: {error or failed}", flush=True)
        else:
            found[name] = contender
    return found


def _install() -> str:
    """Installs the libraries behind everything else on the path; returns what went wrong."""
    error = ""
    if not PEERS.is_dir():
        asked = pathlib.Path(__file__).with_name("peers.txt")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(PEERS), "-r", str(asked)]
        error = subprocess.run(pip, capture_output=True, text=True).stderr.strip()
    sys.path.append(str(PEERS.resolve()))
    return error


def _side(model: keras.Model) -> int:
    side: int = model.inputs[0].shape[1]
    return side


def _stretched(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Shows a picture as the recipe does."""
    centred = (picture - picture.mean()) / (picture.std() + 1e-5) * 0.1 + 0.5
    return (np.clip(centred, 0, 1) * 255).astype(np.uint8)
