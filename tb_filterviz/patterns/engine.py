"""The compiled climb: all filters of a batch take their steps together, in one graph."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tb_filterviz.patterns import distinct, head, objectives, parameterization, precision, tap, transforms
from tb_filterviz.patterns.recipes import Recipe

MEMORY = 1 << 30
"""What the pictures of a batch may take together, in bytes."""

_SLICE = 1.0
"""How long one call into the graph shall last at most, in seconds: an interrupt is heard after it."""


class Engine:
    """Measures and climbs the filters of one layer, on pictures of one shape.

    Everything is traced here, once, for any number of pictures, any filters and any number of steps; weights are read
    each time anew. Nothing behind the target layer is computed. The structure of the model must not change while an
    engine is in use.

    Args:
        model: Built Keras model.
        layer: The layer whose filters are climbed: the model itself or any layer within.
        feed: Makes what the model takes of pictures, float32 `[batch, *spatial, channels]`, 0..1, in the graph.
        shape: `(*spatial, channels)` of the pictures.
        recipe: How to climb.
        objective: `"channel"`: the score is the response on average or, of pictures that ask for it, at spots;
            `"neuron"`: that in the middle; `"distinct"`: how far the one on average is ahead of other filters'.
        normalized: Whether the response is that after a `BatchNormalization` that takes the layer's output.
        finite: Whether all weights of the layer are finite numbers.
        negative: Whether the score is that of the negative response.
        direction: See `PatternOptions`.
        facets: So many pictures after one another are of one filter, and are to look unlike one another.
        reduced: Whether to climb in bfloat16: see `precision`. What is measured is not.

    Attributes:
        filters: The number of filters of the layer, or of directions.
        shape: As given.
        parameterization: How pictures are held.
        picture_bytes: Memory that the climb of one picture takes, from above, in bytes.
        finds_spots: Whether there are spots: positions along each axis of the pictures.
        sees_start: Whether the first response of a climb is that of the start as it is: nothing is moved, no weight is
            taken for 0 as it is not finite, and nothing is rounded.

    Raises:
        ValueError: If the model cannot run on pictures of this shape, does not call the layer, or has no gradient from
            the layer to its input.

    Example:
        >>> import keras
        >>> from tb_filterviz.patterns.recipes import RECIPES
        >>> conv = keras.layers.Conv2D(4, 3, activation="relu")
        >>> model = keras.Sequential([keras.Input((8, 8, 3)), conv])
        >>> engine = Engine(model, conv, lambda pictures: pictures, (8, 8, 3), RECIPES["default"])
        >>> noise = parameterization.noise(0, [0, 3], engine.parameterization)
        >>> pictures, curve = engine.climb(noise, np.array([0, 3], np.int32), np.ones(5, np.float32))
        >>> pictures.shape, curve.shape
        ((2, 8, 8, 3), (5, 2))
    """

    def __init__(
        self,
        model: Any,
        layer: Any,
        feed: Callable[[Any], Any],
        shape: tuple[int, ...],
        recipe: Recipe,
        objective: str = "channel",
        normalized: bool = True,
        finite: bool = True,
        negative: bool = False,
        direction: tuple[tuple[float, ...], ...] | None = None,
        facets: int = 1,
        reduced: bool = False,
    ) -> None:
        self.shape = shape
        self.parameterization = parameterization.make(recipe, shape)
        moved = len(shape) == 3 and bool(recipe.jitter or recipe.scale or recipe.rotate)
        self.sees_start = finite and not moved and not reduced

        def listen(pictures: Any, finite: bool) -> tap.Heard:
            heard = tap.listen(model, layer, feed(pictures), finite=finite)
            return heard if normalized else dataclasses.replace(heard, normalization=None)

        def per_picture(scores: Any, frames: int) -> Any:
            return tf.reduce_mean(tf.reshape(scores, [-1, frames, *scores.shape[1:]]), 1)

        def aims(response: Any, positions: int, apart: Any) -> tuple[Any, Any]:
            """Returns the score and, where there are spots, that at spots so many pixels apart."""
            response = -response if negative else response
            if objective == "neuron":
                score = objectives.centre(response, positions)
            else:
                # Of leads, what is below 0 counts in full.
                score = objectives.mean(response, positions, 1.0 if objective == "distinct" else objectives.LEAK)
            if not self.finds_spots:
                return score, score
            sides = tf.unstack(tf.shape(response)[1 : 1 + positions])
            most = tf.maximum(apart, 1)
            steps = [tf.maximum(-(-most * count // side), 1) for count, side in zip(sides, shape[:-1], strict=True)]
            return score, objectives.at_spots(response, positions, steps)

        def every(heard: tap.Heard) -> Any:
            response = head.every(heard)
            return response if direction is None else objectives.project(response, direction)

        def own(heard: tap.Heard, targets: Any) -> Any:
            if direction is None:
                return head.own(layer, heard, targets)
            response = every(heard)
            targets = tf.repeat(targets, heard.frames)
            return tf.gather(response, targets, axis=response.shape.rank - 1, batch_dims=1)

        def all_scores(heard: tap.Heard, apart: Any) -> tuple[Any, ...]:
            response = every(heard)
            positions = response.shape.rank - 2
            # Known only now, on the first trace.
            self.finds_spots = objective == "channel" and positions == len(shape) - 1
            return tuple(
                per_picture(tf.ensure_shape(score, (None, response.shape[-1])), heard.frames)
                for score in aims(response, positions, apart)
            )

        def own_scores(heard: tap.Heard, targets: Any, apart: Any) -> Any:
            response = own(heard, targets)
            score, at_spots = aims(response, response.shape.rank - 1, tf.reduce_max(apart))
            return per_picture(tf.where(tf.repeat(apart, heard.frames) > 0, at_spots, score), heard.frames)

        def respond(pictures: Any, apart: Any) -> Any:
            return tf.stack(all_scores(listen(pictures, False), apart))

        def respond_own(pictures: Any, targets: Any, apart: Any) -> Any:
            return own_scores(listen(pictures, False), targets, apart)

        def gradient(latent: Any, targets: Any, apart: Any, moves: Any, natural: Any) -> Any:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(latent)
                pictures = self.parameterization.pixels(latent)
                if moved:
                    pictures = transforms.move(pictures, moves)
                # A filter's weights reach the others' gradients times 0, and 0 times NaN is NaN.
                heard = listen(pictures, not finite)
                self._frames = heard.frames
                if objective == "distinct":
                    score, total = distinct.own_lead(all_scores(heard, 0)[0], natural, targets)
                else:
                    score = total = own_scores(heard, targets, apart)
                if facets > 1:
                    same = objectives.sameness(heard.features, facets, heard.frames)
                    worth = tf.abs(tf.stop_gradient(score))
                    worth = tf.maximum(worth, 1.0) if objective == "distinct" else worth  # leads may end near 0
                    total -= objectives.DIVERSITY * worth * same
            return tape.gradient(total, latent), score

        pictures = tf.TensorSpec((None, *shape), tf.float32)
        moves = tf.TensorSpec((None, 8), tf.float32)
        one, each = tf.TensorSpec((), tf.int32), tf.TensorSpec((None,), tf.int32)
        compared = tf.TensorSpec((2, None), tf.float32)
        self._respond = tf.function(respond, [pictures, one], autograph=False).get_concrete_function()
        self.filters: int = self._respond.output_shapes[-1]
        self._respond_own = tf.function(respond_own, [pictures, each, each], autograph=False).get_concrete_function()
        ascend = tf.function(
            gradient,
            [pictures, each, each, moves, compared],
            autograph=False,
            experimental_attributes=precision.NOT_INLINE,
        ).get_concrete_function()
        if ascend.structured_outputs[0] is None:
            raise ValueError(
                "The model has no gradient from the layer to its input, for instance because it rounds on the way. "
                f"Choose a layer before that. Received: model={model!r}, layer={layer!r}"
            )
        self.picture_bytes = _bytes_a_picture(ascend.graph) * self._frames
        state = self._state_specs()

        def step(latent: Any, *given: Any) -> Any:
            found = ascend(latent, *given)
            if reduced:
                precision.allow_bfloat16(found[0])
            return found

        self._advance = tf.function(
            lambda state, targets, apart, natural, moves, rates, first: self._loop(
                lambda latent, now: step(latent, targets, apart, now, natural), state, moves, rates, first
            ),
            [
                *(state, each, each, compared),
                *(tf.TensorSpec((None, None, 8)), tf.TensorSpec((None,)), one),
            ],
            autograph=False,
        ).get_concrete_function()
        self._pictures = tf.function(
            lambda state: self.parameterization.pixels(self.parameterization.latent(state)), [state], autograph=False
        ).get_concrete_function()

    def unsound(self, layer: Any) -> list[str]:
        """Lists the weights that hold NaN or infinity and that the responses depend on, but for the layer's, by name.

        Some processors' kernels answer such a weight with 0, so that responses cannot tell.

        Args:
            layer: The layer, as given to the engine, which does not keep it.
        """
        own = {id(getattr(weight, "value", weight)) for weight in getattr(layer, "weights", ())}
        return [
            variable.name.removesuffix(":0")
            for variable in self._respond.variables
            if variable.dtype.is_floating and id(variable) not in own and not tf.math.is_finite(variable).numpy().all()
        ]

    def measure(self, pictures: NDArray[np.float32], apart: int = 0) -> NDArray[np.float32]:
        """Measures how all filters respond to pictures, on the model as it is.

        Args:
            pictures: float32 `[batch, *spatial, channels]`, 0..1.
            apart: How many pixels spots are apart, from 1; 0 where nothing is asked of them.

        Returns:
            float32 `[2, batch, filters]`, the scores and those at spots (the same, where there are none): see
            `objectives`; negative responses where these are climbed. For the objective `"distinct"` the averages of
            which `distinct.lead` makes scores.
        """
        response: NDArray[np.float32] = self._respond(tf.constant(pictures), tf.constant(apart)).numpy()
        return response

    def measure_own(
        self, pictures: NDArray[np.float32], targets: NDArray[np.int32], apart: NDArray[np.int32]
    ) -> NDArray[np.float32]:
        """Measures how the filter of each picture responds to it, which takes less than `measure`.

        Args:
            pictures: As for `measure`.
            targets: int32 `[batch]`, the filter of each picture.
            apart: int32 `[batch]`, 0 for the score of a picture; for that at spots how many pixels they are apart, the
                same for all that are not 0.

        Returns:
            float32 `[batch]`.
        """
        arguments = [tf.constant(argument) for argument in (pictures, targets, apart)]
        response: NDArray[np.float32] = self._respond_own(*arguments).numpy()
        return response

    def pictures(self, noise: NDArray[np.float32]) -> NDArray[np.float32]:
        """Makes the pictures from which a climb starts.

        Args:
            noise: float32, a batch that `parameterization.noise` drew.

        Returns:
            float32 `[batch, *spatial, channels]`, 0..1.
        """
        made: NDArray[np.float32] = self._pictures(self.parameterization.state(tf.constant(noise))).numpy()
        return made

    def climb(
        self,
        noise: NDArray[np.float32],
        targets: NDArray[np.int32],
        rates: NDArray[np.float32],
        draws: NDArray[np.float32] | None = None,
        after: Callable[[int], bool] = lambda steps: True,
        apart: NDArray[np.int32] | None = None,
        natural: NDArray[np.float32] = distinct.UNKNOWN,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Climbs from noise, a batch at a time.

        Args:
            noise: float32, the batch that `parameterization.noise` drew.
            targets: int32 `[batch]`, the filter of each picture.
            rates: float32 `[steps]`, the length of each step.
            draws: float32 `[steps, batch, 4]`: see `transforms.draw`; None: nothing is moved.
            after: Is told the number of steps just taken, every second or so; False ends the climb.
            apart: As for `measure_own`; None: 0 for all.
            natural: For the objective `"distinct"`: see `distinct.statistics`.

        Returns:
            float32 `[batch, *spatial, channels]`, the pictures, 0..1; and float32 `[steps taken, batch]`, the
            response before each step, as the climb sees it: moved, if the recipe moves pictures.
        """
        if draws is None:
            draws = np.broadcast_to(transforms.STILL, (len(rates), len(noise), 4))
        moves = transforms.matrices(draws, *self.shape[:2])
        state = self.parameterization.state(tf.constant(noise))
        apart = np.zeros_like(targets) if apart is None else apart
        given = tf.constant(targets), tf.constant(apart), tf.constant(natural)
        curve: list[NDArray[np.float32]] = []
        done, count = 0, 1
        while done < len(rates):
            part = slice(done, done + count)
            begun = time.monotonic()
            state, scores = self._advance(
                state, *given, tf.constant(moves[part]), tf.constant(rates[part]), tf.constant(done)
            )
            curve.append(scores.numpy())
            taken = len(rates[part])
            done += taken
            count = max(1, int(_SLICE * taken / max(time.monotonic() - begun, 1e-6)))
            if not after(taken):
                break
        return self._pictures(state).numpy(), np.concatenate(curve)

    def _state_specs(self) -> tuple[Any, ...]:
        one = self.parameterization.start(np.random.default_rng(0))
        return tuple(
            tf.TensorSpec((None, *part.shape[1:])) for part in self.parameterization.state(tf.constant(one[None]))
        )

    def _loop(self, ascend: Any, state: Any, moves: Any, rates: Any, first: Any) -> Any:
        steps = tf.shape(rates)[0]

        def step(number: Any, state: Any, curve: Any) -> Any:
            gradient, score = ascend(self.parameterization.latent(state), moves[number])
            state = self.parameterization.advance(state, gradient, first + number, rates[number])
            return number + 1, state, curve.write(number, score)

        curve = tf.TensorArray(tf.float32, steps, element_shape=(None,))
        _, state, curve = tf.while_loop(
            lambda number, *_: number < steps, step, (tf.constant(0), state, curve), parallel_iterations=1
        )
        return state, curve.stack()


def _bytes_a_picture(graph: Any) -> int:
    """Adds up all tensors of a graph that have a batch axis, as if none were freed.

    Where frames are samples, too, that is so many times what this returns, at most.
    """
    total = 0
    for operation in graph.get_operations():
        for output in operation.outputs:
            if output.shape.rank and output.shape[0] is None:
                total += int(np.prod([side or 1 for side in output.shape[1:]])) * output.dtype.size
    return total
