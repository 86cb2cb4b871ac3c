"""What a climb moves: pixels, or pictures whose spectrum falls as that of natural ones does.

A parameterisation makes the state of a climb from noise, and pictures from a state; and takes a step from a gradient.
All functions but `start` work in a TensorFlow graph, on float32 tensors with the batch first. A state is a tuple of
such tensors.

The tape of a climb listens at the *latent*, from which `pixels` makes a picture by elementary operations; Fourier
transforms stand outside, where their adjoint is written out. In that way pictures may have one to three spatial axes.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tb_filterviz.patterns.recipes import Recipe

GREY = 127.5
"""The pixel value in the middle of 0..255."""

NOISE = 20.0
"""The width of the uniform noise around grey from which pixels climb, in pixel values."""

FLOOR = 8.0
"""Waves longer than a side divided by this are not made stronger: blots of colour excite no filter."""

CUTOFF = 0.2
"""Where the spectrum of a step has fallen by the factor exp(-1/2), in cycles a pixel: finer texture cannot be read.

Of curves every wave can be.
"""

MARGIN = 24
"""A side divided by this is the frame whose contrast does not count: what filters dislike would be hidden there."""

_TINY = 1e-12
"""Added to a root that divides: one alone becomes a product with `rsqrt`, which rounds by place in a tensor."""

# Colours of natural pictures vary along these three axes (columns), most along the first: brightness. Square root of
# the covariance of ImageNet's colours: C. Olah, A. Mordvintsev, L. Schubert, "Feature Visualization", Distill 2017.
_COLOURS = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]], np.float32)
_COLOURS = _COLOURS / np.linalg.norm(_COLOURS, axis=0).max()

State = tuple[Any, ...]


class Parameterization(Protocol):
    """How pictures are held while they climb."""

    def start(self, random: np.random.Generator) -> NDArray[np.float32]:
        """Draws the first tensor of the state of one picture, without the batch axis."""

    def state(self, first: Any) -> State:
        """Completes a state from the batch of what `start` drew."""

    def latent(self, state: State) -> Any:
        """Returns the latent of a state, `[batch, *spatial, channels]`."""

    def pixels(self, latent: Any) -> Any:
        """Returns pictures, 0..1, of the same shape."""

    def advance(self, state: State, gradient: Any, step: Any, rate: Any) -> State:
        """Takes step number `step` of length `rate` along the gradient at the latent."""


def make(recipe: Recipe, shape: tuple[int, ...]) -> Parameterization:
    """Makes the parameterisation of a recipe.

    Args:
        recipe: Names it and gives its contrast and decay.
        shape: `(*spatial, channels)` of the pictures, with one to three spatial axes.

    Returns:
        It, for any number of pictures of this shape.

    Example:
        >>> from tb_filterviz.patterns.recipes import RECIPES
        >>> fourier = make(RECIPES["default"], (16, 16, 3))
        >>> state = fourier.state(tf.constant(fourier.start(np.random.default_rng(0)))[None])
        >>> fourier.pixels(fourier.latent(state)).shape
        TensorShape([1, 16, 16, 3])
    """
    if recipe.parameterization == "pixel":
        return Pixel(shape)
    return (Fourier if recipe.parameterization == "fourier" else Maco)(shape, recipe)


class Pixel:
    """Pixels themselves, climbing along the gradient divided by its root mean square.

    F. Chollet, "How convolutional neural networks see the world", The Keras Blog, 2016. The unit of a step is one of
    255 pixel values.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._shape = shape

    def start(self, random: np.random.Generator) -> NDArray[np.float32]:
        """Draws grey with a little uniform noise, in whole pixel values."""
        noise = np.rint(GREY + NOISE * (random.random(self._shape) - 0.5))
        return (noise / 255.0).astype(np.float32)

    def state(self, first: Any) -> State:
        """See `Parameterization`."""
        return (first,)

    def latent(self, state: State) -> Any:
        """See `Parameterization`."""
        return state[0]

    def pixels(self, latent: Any) -> Any:
        """See `Parameterization`."""
        return latent

    def advance(self, state: State, gradient: Any, step: Any, rate: Any) -> State:
        """See `Parameterization`; pictures stay within 0..1."""
        return (tf.clip_by_value(state[0] + rate / 255.0 * _unit(gradient), 0.0, 1.0),)


class Fourier:
    """Pictures of a fixed contrast that climb in a decorrelated Fourier basis.

    A gradient step on the coefficients of a basis with amplitudes 1 / f^decay and the colours of nature moves the
    picture along its gradient filtered with 1 / f^(2 decay) and mixed with the covariance of these colours: the long
    waves of natural pictures come first, fine texture last, and colours move together as they do in nature (Olah et
    al. 2017). Each step has a fixed length, with momentum, and the picture is brought back to mean 0 and standard
    deviation 1 within its frame (`MARGIN`), so that only its form can grow. The unit of a step is that standard
    deviation.

    The latent is the picture before it is squashed, in colours as they are shown: filter and mixing stand outside the
    tape, which sees nothing but the squashing.
    """

    def __init__(self, shape: tuple[int, ...], recipe: Recipe) -> None:
        self._spatial, self._channels = shape[:-1], shape[-1]
        self._momentum, self._contrast = recipe.momentum, recipe.contrast
        self._amplitudes, self._inner = _amplitudes(self._spatial, recipe.decay), _inner(self._spatial)
        self._colours = _COLOURS if self._channels == 3 else np.eye(self._channels, dtype=np.float32)

    def start(self, random: np.random.Generator) -> NDArray[np.float32]:
        """Draws noise with the amplitudes and colours of the basis."""
        white = random.normal(size=(self._channels, *self._spatial))
        axes = tuple(range(1, white.ndim))
        coloured = np.fft.irfftn(np.fft.rfftn(white, axes=axes) * self._amplitudes, self._spatial, axes)
        mixed = np.moveaxis(coloured, 0, -1) @ self._colours.T
        noise: NDArray[np.float32] = (mixed / (mixed.std() or 1.0)).astype(np.float32)  # 0: one pixel, one channel
        return noise

    def state(self, first: Any) -> State:
        """See `Parameterization`: the latent, and the previous step."""
        return _standardise(first, self._inner), tf.zeros_like(first)

    def latent(self, state: State) -> Any:
        """See `Parameterization`."""
        return state[0]

    def pixels(self, latent: Any) -> Any:
        """See `Parameterization`."""
        return _logistic(4.0 * self._contrast * latent)

    def advance(self, state: State, gradient: Any, step: Any, rate: Any) -> State:
        """See `Parameterization`."""
        latent = state[0]
        # What would only change the mean or the contrast is undone afterwards, and must not count in the length.
        mean, contrast = _mean(gradient), _mean(gradient * latent)
        gradient -= self._inner * (mean + contrast * latent)
        spectrum = _rfft(gradient, self._spatial) * tf.constant(self._amplitudes**2, tf.complex64)
        moved = self._momentum * state[1] + _unit(_irfft(spectrum, self._spatial, self._colours @ self._colours.T))
        return _standardise(latent + rate * moved, self._inner), moved


class Maco:
    """Pictures with the amplitudes of natural ones, of which only the phases climb.

    T. Fel, T. Boissin, V. Boutin et al., "Unlocking Feature Visualization for Deeper Networks with MAgnitude
    Constrained Optimization", NeurIPS 2023, section 3, with amplitudes 1 / f in place of those of a data set. Steps
    are those of NAdam (T. Dozat, "Incorporating Nesterov Momentum into Adam", 2016); their unit is one radian.
    """

    _BETAS = (0.9, 0.999)

    def __init__(self, shape: tuple[int, ...], recipe: Recipe) -> None:
        self._spatial, self._channels, self._contrast = shape[:-1], shape[-1], recipe.contrast
        self._amplitudes = _amplitudes(self._spatial, recipe.decay)

    def start(self, random: np.random.Generator) -> NDArray[np.float32]:
        """Draws the phases of white noise."""
        white = random.normal(size=(self._channels, *self._spatial))
        return np.angle(np.fft.rfftn(white, axes=tuple(range(1, white.ndim)))).astype(np.float32)

    def state(self, first: Any) -> State:
        """See `Parameterization`: the phases, and the running moments of their gradient."""
        return first, tf.zeros_like(first), tf.zeros_like(first)

    def latent(self, state: State) -> Any:
        """See `Parameterization`."""
        return _irfft(self._spectrum(state[0]), self._spatial)

    def pixels(self, latent: Any) -> Any:
        """See `Parameterization`."""
        return squash(latent, self._contrast)

    def advance(self, state: State, gradient: Any, step: Any, rate: Any) -> State:
        """See `Parameterization`."""
        phases, first, second = state
        # A turn of a phase moves its wave by i times itself; the gradient sees that movement's share along it.
        turned = _unit(tf.math.imag(_rfft(gradient, self._spatial) * tf.math.conj(self._spectrum(phases))))
        fast, slow = self._BETAS
        first, second = fast * first + (1 - fast) * turned, slow * second + (1 - slow) * turned**2
        age = tf.cast(step, tf.float32) + 1.0
        ahead = fast * first / (1 - fast ** (age + 1)) + (1 - fast) * turned / (1 - fast**age)
        moved = rate * ahead / (tf.sqrt(second / (1 - slow**age)) + 1e-7)
        return phases + moved, first, second

    def _spectrum(self, phases: Any) -> Any:
        return tf.complex(tf.cos(phases), tf.sin(phases)) * tf.constant(self._amplitudes, tf.complex64)


def squash(latent: Any, contrast: float) -> Any:
    """Makes pictures of a contrast from a latent: colours mixed, mean 0, one standard deviation, squashed into 0..1.

    Args:
        latent: float32 `[batch, *spatial, channels]`; three channels of pictures with two or three spatial axes are
            taken for decorrelated colours.
        contrast: Standard deviation before the squashing, of which the logistic function takes little away.

    Returns:
        The pictures, 0..1, of the same shape.
    """
    if latent.shape[-1] == 3 and latent.shape.rank > 3:  # three channels of a curve are no colours
        # As one product: TensorFlow 2.16 multiplies a batch by a shared matrix wrongly on some processors.
        latent = tf.tensordot(latent, tf.constant(_COLOURS.T), 1)
    return _logistic(4.0 * contrast * _standardise(latent))


def _amplitudes(spatial: tuple[int, ...], decay: float) -> NDArray[np.float32]:
    """Returns the amplitude of each wave of a real Fourier transform; that of the mean is 0."""
    grids = np.meshgrid(*(np.fft.fftfreq(n) for n in spatial[:-1]), np.fft.rfftfreq(spatial[-1]), indexing="ij")
    frequency = np.sqrt(sum(grid**2 for grid in grids))
    lowest = min(FLOOR, min(spatial) / 4) / min(spatial)
    falling = np.maximum(frequency, lowest) ** -decay
    if len(spatial) > 1:
        falling *= np.exp(-0.5 * (frequency / CUTOFF) ** 2)
    falling[(0,) * len(spatial)] = 0.0
    if not falling.any():
        falling[...] = 1.0  # a picture of one pixel has nothing but its mean
    amplitudes: NDArray[np.float32] = (falling / falling.max()).astype(np.float32)
    return amplitudes


def _standardise(latent: Any, weights: Any = 1.0) -> Any:
    """Brings pictures whose mean is near 0 to that, and to standard deviation 1; pixels count by weights of mean 1."""
    mean, square = _mean(latent * weights), _mean(tf.square(latent) * weights)
    return (latent - mean) / (tf.sqrt(tf.maximum(square - tf.square(mean), 0.0)) + _TINY)


def _inner(spatial: tuple[int, ...]) -> NDArray[np.float32]:
    """Returns the weights of pixels, `[*spatial, 1]`: 0 in the frame, else so much that their mean is 1."""
    weights: NDArray[np.float32] = np.zeros((*spatial, 1), np.float32)
    weights[tuple(slice(side // MARGIN, side - side // MARGIN) for side in spatial)] = 1
    weights /= weights.mean()
    return weights


def _unit(gradient: Any) -> Any:
    """Brings a gradient to the root mean square 1; a gradient of 0, or one that is not finite, moves nothing."""
    scaled = gradient / tf.reduce_max(tf.abs(gradient), list(range(1, gradient.shape.rank)), keepdims=True)
    length = tf.sqrt(_mean(tf.square(scaled)))  # scaled first: squares of small numbers would vanish
    return tf.math.multiply_no_nan(scaled / (length + _TINY), tf.where(tf.math.is_finite(length), 1.0, 0.0))


def _logistic(values: Any) -> Any:
    """Squashes into 0..1: by a function that, unlike `tf.sigmoid`, rounds the same wherever in a tensor a number is."""
    return 0.5 + 0.5 * tf.tanh(0.5 * values)


def _mean(values: Any) -> Any:
    """Averages each picture of a batch, `[batch, 1, ...]`.

    In two steps: TensorFlow adds up a whole tensor in another order than parts of one, so that a picture that is alone
    would get other last digits than one in a batch.
    """
    rows = tf.reduce_mean(values, list(range(2, values.shape.rank)), keepdims=True)
    return tf.reduce_mean(rows, 1, keepdims=True)


_RFFT = {1: tf.signal.rfft, 2: tf.signal.rfft2d, 3: tf.signal.rfft3d}
_IRFFT = {1: tf.signal.irfft, 2: tf.signal.irfft2d, 3: tf.signal.irfft3d}


def _rfft(values: Any, spatial: tuple[int, ...]) -> Any:
    """Transforms `[batch, *spatial, channels]` into waves `[batch, channels, *waves]`."""
    rank = len(spatial)
    return _RFFT[rank](tf.transpose(values, [0, rank + 1, *range(1, rank + 1)]))


def _irfft(waves: Any, spatial: tuple[int, ...], mixing: NDArray[np.float32] | None = None) -> Any:
    """Transforms waves back; with a matrix `[channels, channels]` that is multiplied to the channels."""
    rank = len(spatial)
    values = _IRFFT[rank](waves, list(spatial))
    values.set_shape([None, waves.shape[1], *spatial])
    if mixing is not None:
        flat = tf.matmul(tf.constant(mixing), tf.reshape(values, [-1, waves.shape[1], np.prod(spatial)]))
        values = tf.reshape(flat, [-1, waves.shape[1], *spatial])
    return tf.transpose(values, [0, *range(2, rank + 2), 1])


def noise(
    seed: int, filters: Any, parameterization: Parameterization, attempt: int = 0, facets: int = 1
) -> NDArray[np.float32]:
    """Draws what the filters climb from.

    Each filter has a generator of its own, so that neighbours, order and batch size cannot change its picture.

    Args:
        seed: Seed, from 0.
        filters: Indices of the filters.
        parameterization: What draws it.
        attempt: Number of the try, from 0.
        facets: How many to draw for each filter; the first is the one that is drawn alone.

    Returns:
        float32 `[filters * facets, ...]`, the batch for `Parameterization.state`.
    """
    keys: list[tuple[int, ...]] = []
    for index in filters:
        keys.append((seed, int(index), attempt) if attempt else (seed, int(index)))
        keys += [(seed, int(index), attempt, 2, facet) for facet in range(1, facets)]
    return np.stack([parameterization.start(np.random.default_rng(key)) for key in keys])
