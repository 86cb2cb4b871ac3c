"""The Keras callback."""

from __future__ import annotations

import functools
import gc
import logging
import operator
import os
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from tb_filterviz import sources
from tb_filterviz.patterns import PatternOptions, target
from tb_filterviz.patterns.generate import until_interrupt
from tb_filterviz.sources.keras import layer_tree
from tb_filterviz.summary_op import pattern_targets, summary

_NAME = "model"
_logger = logging.getLogger("tb_filterviz")


class FiltersCallback(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no type information
    """Logs the filters of the model that is trained, for the Filters tab.

    Writes to the run that `keras.callbacks.TensorBoard` writes its training scalars to, `log_dir/train`, and where that
    callback is in use, to its very file: TensorBoard may stop reading the older of two files that grow in one run.
    A step is the number of epochs that are done: 0 is before training, 5 after the fifth epoch, which the scalars of
    Keras, who count from 0, call 4. What fails while it logs is reported on the logger `tb_filterviz` and skipped;
    with its reason, unless that is the one of the time before.

    Args:
        log_dir: The log directory, the same as for `keras.callbacks.TensorBoard`.
        kernel_freq: Every how many epochs to log kernels. 0: never. Otherwise also before training and after the last
            epoch.
        pattern_freq: Every how many epochs to make and log patterns, which takes a while. 0: never. Otherwise also
            before training and after the last epoch.
        layers: Which layers, as for `filterviz.summary`; the default is every convolution.
        patterns: Of which filters, and how: an int for the first so many of each layer, or `PatternOptions`. An
            interrupt writes those that are done before it ends training.

    Raises:
        ValueError: If an argument is not as described; when training starts, or after the first epoch of a model that
            is built by training, if the model has no such layers, one of them no such filters, a `direction` does not
            fit it, or the model has no such `input`.

    Example:
        ```python
        model.fit(x, y, callbacks=[keras.callbacks.TensorBoard("logs"), filterviz.FiltersCallback("logs")])
        ```
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        kernel_freq: int = 1,
        pattern_freq: int = 0,
        layers: str | Sequence[str] | None = None,
        patterns: int | PatternOptions = 16,
    ) -> None:
        super().__init__()
        self.log_dir = os.fspath(log_dir)
        self.kernel_freq = _frequency("kernel_freq", kernel_freq)
        self.pattern_freq = _frequency("pattern_freq", pattern_freq)
        self.layers = layers
        self.patterns = patterns if isinstance(patterns, PatternOptions) else PatternOptions(filters=patterns)
        self._writer: Any = None
        self._reasons: dict[str, str] = {}
        self._logged: int | None = None
        self._done = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Checks that the model has the layers, if it is built by now."""
        self._writer = None
        self._reasons = {}
        self._logged = None
        self._done = 0
        self._can_log()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Logs the weights that training starts from."""
        if self._logged is not None:
            return
        if self._can_log():
            self._log(epoch, always=True)
        else:
            self._logged = epoch
            _logger.warning(
                "Filters: there is no step before training: Keras builds the model in its first batch. For one, call "
                "model.build(input_shape), or the model on a batch, before fit."
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Logs what is due."""
        if self._done == 0:  # the first end of an epoch: now the model is built in any case
            self._check()
        self._done = epoch + 1
        self._log(self._done, always=self._done == self.params.get("epochs") or self.model.stop_training)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Logs the last epoch where training ended before its time, and closes what this callback opened."""
        if self._logged is not None and self._logged < self._done:
            self._log(self._done, always=True, after_training=True)
        if self._writer is not None:
            self._try("the last steps", self._done, self._writer.close)

    def _can_log(self) -> bool:
        """Returns whether the layers have weights; raises if the model is built and does not have the layers."""
        try:
            self._check()
        except ValueError:
            if all(layer.built for _, layer in layer_tree(self.model)):
                raise
            return False
        return True

    def _check(self) -> None:
        weights = sources.find_weights(self.model, self.layers)
        if self.pattern_freq:
            pattern_targets(self.model, weights, self.patterns)

    def _log(self, step: int, always: bool, after_training: bool = False) -> None:
        kernels = self.kernel_freq and (always or step % self.kernel_freq == 0)
        patterns = self.pattern_freq and (always or step % self.pattern_freq == 0)
        if always or kernels or patterns:
            self._logged = step
        if kernels or patterns:
            self._try("filters", step, lambda: self._write(step, bool(kernels), bool(patterns), after_training))

    def _write(self, step: int, kernels: bool, patterns: bool, after_training: bool) -> None:
        writer = self._writer or _keras_writer(self)
        if writer is not None and after_training:
            writer.flush()  # the writer of Keras is closed by now, or about to be: go on in a file of our own
        if writer is None or (after_training and self._writer is None):
            writer = self._writer = tf.summary.create_file_writer(os.path.join(self.log_dir, "train"))
        # Keras' callback may have put its own `record_if` in force.
        with writer.as_default(), tf.summary.record_if(True):
            try:
                if kernels:
                    self._try("kernels", step, lambda: summary(_NAME, self.model, step, layers=self.layers))
                if patterns:
                    weights = sources.find_weights(self.model, self.layers)
                    for one in pattern_targets(self.model, weights, self.patterns):
                        self._try(f"patterns of {one.record.path}", step, functools.partial(self._patterns, one, step))
            finally:  # also after an interrupt, which ends training
                writer.flush()

    def _patterns(self, found: target.Target, step: int) -> None:
        made, interrupt = until_interrupt(self.model, found.layer, options=self.patterns)
        summary(_NAME, made, step)
        if interrupt is not None:
            raise interrupt

    def _try(self, what: str, step: int, log: Callable[[], Any]) -> None:
        """Training is worth more than its log."""
        try:
            log()
        except Exception as error:
            reason, known = f"{type(error).__name__}: {error}", self._reasons.get(what)
            self._reasons[what] = reason
            if reason == known:
                _logger.error(
                    "Filters: could not log %s at step %d, for the same reason; training goes on.", what, step
                )
            else:
                _logger.exception("Filters: could not log %s at step %d; training goes on.", what, step)


def _frequency(name: str, value: Any) -> int:
    try:
        frequency = operator.index(value)
    except TypeError:
        frequency = -1
    if isinstance(value, bool) or frequency < 0:
        raise ValueError(f"`{name}` must be a number of epochs, or 0 for never. Received: {name}={value!r}")
    return frequency


def _keras_writer(callback: FiltersCallback) -> Any:
    """Returns the writer of the Keras callback for the same run, or None where there is none.

    Callbacks are not told of each other. They stand in one list, and the garbage collector knows who holds an object.
    """
    for holder in gc.get_referrers(callback):
        for other in holder if isinstance(holder, list) else ():
            if (
                isinstance(other, keras.callbacks.TensorBoard)
                and other.model is callback.model
                and os.path.abspath(other.log_dir) == os.path.abspath(callback.log_dir)
            ):
                return other._train_writer  # there is no public name for it
    return None
