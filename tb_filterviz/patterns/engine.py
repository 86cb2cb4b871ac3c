"""The compiled climb: all filters of a batch take each gradient step together."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tb_filterviz.patterns import objectives, tap

STEP = 1.0
"""Length of a step in pixel values: the root mean square of the change of a picture."""

EPSILON = 1e-5
"""Added to the root mean square of a gradient, so that a gradient of 0 takes no step."""


class Engine:
    """Measures and climbs the filters of one layer, on pictures of one shape.

    The response and the step are traced here, once, for any number of pictures and any filters. Nothing behind the
    target layer is computed. The model must not change its weights' number or shapes while an engine is in use.

    Args:
        model: Built Keras model with one input.
        layer: The layer whose filters are climbed: the model itself or any layer within.
        shape: Height, width and channels of the pictures.
        input_range: The model inputs that pixels 0 and 255 stand for.

    Attributes:
        filters: The number of filters of the layer.

    Raises:
        ValueError: If the model cannot run on pictures of this shape, does not call the layer, or has no gradient from
            the layer to its input.

    Example:
        >>> import keras
        >>> conv = keras.layers.Conv2D(4, 3, activation="relu")
        >>> engine = Engine(keras.Sequential([keras.Input((8, 8, 3)), conv]), conv, (8, 8, 3), (0.0, 1.0))
        >>> pictures, filters = np.full((2, 8, 8, 3), 127, np.float32), np.array([0, 3])
        >>> bool((engine.measure(engine.step(pictures, filters), filters) > engine.measure(pictures, filters)).all())
        True
    """

    def __init__(self, model: Any, layer: Any, shape: tuple[int, int, int], input_range: tuple[float, float]) -> None:
        self._model, self._layer = model, layer
        self._low, self._scale = input_range[0], (input_range[1] - input_range[0]) / 255.0
        self._all_finite = all(np.isfinite(weight).all() for weight in layer.get_weights())
        pictures, filters = tf.TensorSpec((None, *shape), tf.float32), tf.TensorSpec((None,), tf.int32)
        self._respond = tf.function(self._response, [pictures], autograph=False).get_concrete_function()
        self._climb = tf.function(self._step, [pictures, filters], autograph=False).get_concrete_function()
        self.filters: int = self._respond.output_shapes[-1]

    def measure(self, pictures: NDArray[Any], filters: NDArray[np.int64]) -> NDArray[np.float32]:
        """Measures how filters respond to pictures, on the model as it is.

        Args:
            pictures: `[batch, height, width, channels]`, any dtype, pixel values 0 to 255.
            filters: int64 `[batch]`, the filter of each picture.

        Returns:
            float32 `[batch]`, mean response before the layer's activation, borders left out: see
            `objectives.channel_sum`.
        """
        response = self._respond(tf.constant(pictures, tf.float32))
        sums, positions = objectives.channel_sum(response, tf.constant(filters, tf.int32))
        mean: NDArray[np.float32] = (sums / positions).numpy()
        return mean

    def step(self, pictures: NDArray[np.float32], filters: NDArray[np.int64]) -> NDArray[np.float32]:
        """Moves each picture one step up the gradient of its filter's mean response.

        The gradient of each picture is divided by its own root mean square, and the picture is kept within 0..255. A
        picture whose gradient is 0 or not finite stays where it is.

        Args:
            pictures: float32 `[batch, height, width, channels]`, pixel values 0 to 255.
            filters: int64 `[batch]`, the filter of each picture.

        Returns:
            The moved pictures, of the same shape and dtype.
        """
        moved: NDArray[np.float32] = self._climb(tf.constant(pictures), tf.constant(filters, tf.int32)).numpy()
        return moved

    def _inputs(self, pictures: Any) -> Any:
        return self._low + pictures * self._scale

    def _response(self, pictures: Any) -> Any:
        return tap.response(self._model, self._layer, self._inputs(pictures))

    def _step(self, pictures: Any, filters: Any) -> Any:
        inputs = self._inputs(pictures)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(inputs)
            # A filter's weights reach the others' gradients times 0, and 0 times NaN is NaN.
            response = tap.response(self._model, self._layer, inputs, finite=not self._all_finite)
            # The gradient of the sum, not of the mean: half precision would lose that in its smallest numbers.
            sums, positions = objectives.channel_sum(response, filters)
        gradient = tape.gradient(sums, inputs)
        if gradient is None:
            raise ValueError(
                "The model has no gradient from the layer to its input, for instance because it rounds on the way. "
                f"Choose a layer before that. Received: model={self._model.name!r}, layer={self._layer.name!r}"
            )
        gradient = gradient / positions
        length = tf.sqrt(tf.reduce_mean(tf.square(gradient), axis=[1, 2, 3], keepdims=True))
        direction = gradient / (length + EPSILON)
        direction = tf.where(tf.math.is_finite(direction), direction, 0.0)
        return tf.clip_by_value(pictures + STEP * direction, 0.0, 255.0)
