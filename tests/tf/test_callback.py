"""The callback in `model.fit`, beside the one of Keras, behind a real TensorBoard with each loader."""

import logging
import time

import keras
import numpy as np
import pytest

import tb_filterviz as filterviz
from tb_filterviz import wire
from tests.support import logs, server
from tests.tf import support

X = np.random.default_rng(0).random((64, 10, 10, 1)).astype(np.float32)
Y = (X.mean(axis=(1, 2, 3)) > 0.5).astype(np.int32)
TAG = "model/net/conv/kernel/filterviz.kernel"
PATTERNS_TAG = "model/net/conv/kernel/filterviz.patterns"
FAST = filterviz.PatternOptions(filters=2, steps=1, progress=False)


def small_model():
    layers = [keras.Input((10, 10, 1)), keras.layers.Conv2D(4, 3, activation="relu", name="conv")]
    layers += [keras.layers.GlobalMaxPooling2D(), keras.layers.Dense(2, activation="softmax")]
    model = keras.Sequential(layers, name="net")
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def fit(callbacks, epochs=5, model=None, **options):
    model = model or small_model()
    model.fit(X, Y, epochs=epochs, batch_size=16, verbose=0, callbacks=callbacks, **options)
    return model


def steps(directory, tag=TAG):
    return [step for found, step, *_ in logs.read_events(directory) if found == tag]


@pytest.mark.parametrize(("freq", "expected"), [(1, [0, 1, 2, 3, 4, 5]), (2, [0, 2, 4, 5]), (10, [0, 5]), (0, [])])
def test_kernel_freq(tmp_path, freq, expected):
    fit([filterviz.FiltersCallback(tmp_path, kernel_freq=freq)])
    assert steps(tmp_path) == expected
    assert {file.parent for file in tmp_path.rglob("events*")} <= {tmp_path / "train"}


def test_pattern_freq(tmp_path):
    fit([filterviz.FiltersCallback(tmp_path, kernel_freq=0, pattern_freq=3, patterns=FAST)])
    assert steps(tmp_path, PATTERNS_TAG) == [0, 3, 5]
    assert steps(tmp_path) == []


def test_the_first_step_is_before_training_and_the_last_after(tmp_path):
    model = small_model()
    before = model.get_layer("conv").kernel.numpy()
    fit([filterviz.FiltersCallback(tmp_path)], model=model)
    kernels = [elements for tag, _, _, elements in logs.read_events(tmp_path) if tag == TAG]
    for elements, expected in ((kernels[0], before), (kernels[-1], model.get_layer("conv").kernel.numpy())):
        stored = np.frombuffer(elements[2], np.float16).reshape(4, 3, 3, 1)
        np.testing.assert_array_equal(stored, np.moveaxis(expected, -1, 0).astype(np.float16))


def test_a_resumed_training_goes_on_counting(tmp_path):
    fit([filterviz.FiltersCallback(tmp_path)], epochs=5, initial_epoch=3)
    assert steps(tmp_path) == [3, 4, 5]


class Stop(keras.callbacks.Callback):
    """Ends training as early stopping does."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = epoch == 2


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("keras_first", [True, False])
def test_the_last_epoch_is_logged_when_training_ends_early(tmp_path, place, keras_first):
    callbacks = [keras.callbacks.TensorBoard(tmp_path), filterviz.FiltersCallback(tmp_path, kernel_freq=10)]
    callbacks = callbacks if keras_first else callbacks[::-1]
    callbacks.insert(place, Stop())
    fit(callbacks, epochs=50)
    assert steps(tmp_path) == [0, 3]


@pytest.mark.parametrize("keras_first", [True, False])
@pytest.mark.parametrize("update_freq", ["epoch", 7])
def test_shares_the_file_of_the_keras_callback(tmp_path, keras_first, update_freq):
    callbacks = [keras.callbacks.TensorBoard(tmp_path, update_freq=update_freq), filterviz.FiltersCallback(tmp_path)]
    fit(callbacks if keras_first else callbacks[::-1], validation_data=(X, Y))
    assert len(list((tmp_path / "train").glob("events*"))) == 1
    assert steps(tmp_path / "train") == [0, 1, 2, 3, 4, 5]
    assert steps(tmp_path / "validation") == []


def test_a_keras_callback_of_another_directory_is_let_alone(tmp_path):
    fit([keras.callbacks.TensorBoard(tmp_path / "other"), filterviz.FiltersCallback(tmp_path / "ours")])
    assert steps(tmp_path / "ours" / "train") == [0, 1, 2, 3, 4, 5]
    assert steps(tmp_path / "other") == []


class Watch(keras.callbacks.Callback):
    """Lets TensorBoard read everything after each epoch, so that a file it stops reading shows."""

    def __init__(self, board, run):
        super().__init__()
        self.board, self.run, self.seen = board, run, []

    def on_epoch_end(self, epoch, logs=None):
        index = self.board.index_when(lambda index: server.steps(index).get(("train", TAG), [0])[-1] == epoch + 1)
        self.seen.append((server.steps(index)["train", TAG], self._scalars_when(epoch)))

    def _scalars_when(self, epoch):
        """The steps of TensorBoard's own scalars as soon as `epoch` is one: its loader reads later than ours."""
        end = time.monotonic() + 40
        while True:
            answer = self.board.fetch(f"data/plugin/scalars/scalars?run={self.run}&tag=epoch_loss")
            steps = [int(step) for _, step, _ in answer.json] if answer.status == 200 else []
            if epoch in steps or time.monotonic() > end:
                return steps
            time.sleep(0.3)


@pytest.mark.parametrize("load_fast", ["true", "false"], ids=["rust", "python"])
def test_neither_callback_freezes_the_other(tmp_path, load_fast):
    """Two files that grow in one run would: the Python loader never goes back to the first."""
    with server.serve(tmp_path, load_fast) as board:
        keras_callback = keras.callbacks.TensorBoard(tmp_path)
        watch = Watch(board, "train")
        model = fit([keras_callback, filterviz.FiltersCallback(tmp_path), Flush(keras_callback), watch], epochs=4)
        assert [kernels for kernels, _ in watch.seen] == [[0, 1], [0, 1, 2], [0, 1, 2, 3], [0, 1, 2, 3, 4]]
        assert watch.seen[-1][1] == [0, 1, 2, 3]
        assert model.stop_training is False


class Flush(keras.callbacks.Callback):
    """Flushes what Keras' callback wrote; it does so itself only now and then."""

    def __init__(self, other):
        super().__init__()
        self.other = other

    def on_epoch_end(self, epoch, logs=None):
        self.other._train_writer.flush()


def test_a_failing_pattern_is_reported_and_skipped(tmp_path, caplog):
    """Patterns need a model of one input, and this one has two."""
    inputs = [keras.Input((10, 10, 1)), keras.Input((10, 10, 1))]
    conv = keras.layers.Conv2D(4, 3, name="conv")
    outputs = keras.layers.GlobalMaxPooling2D()(conv(keras.layers.Add()(inputs)))
    model = keras.Model(inputs, outputs, name="net")
    model.compile("adam", "mse")
    callback = filterviz.FiltersCallback(tmp_path, pattern_freq=1, patterns=FAST)
    with caplog.at_level(logging.ERROR, "tb_filterviz"):
        model.fit([X, X], np.zeros((64, 4)), epochs=2, verbose=0, callbacks=[callback])
    assert [record.getMessage() for record in caplog.records] == [
        f"Filters: could not log patterns of conv/kernel at step {step}; training goes on."
        for step in ("0", "1, for the same reason", "2, for the same reason")
    ]
    assert [step for tag, step, *_ in logs.read_events(tmp_path) if tag.endswith("filterviz.kernel")] == [0, 1, 2]


def test_a_directory_that_cannot_be_written_does_not_end_training(tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    with caplog.at_level(logging.ERROR, "tb_filterviz"):
        fit([filterviz.FiltersCallback(blocked)], epochs=2)
    assert any("training goes on" in record.message for record in caplog.records)


def test_an_interrupt_of_a_climb_writes_what_is_done_and_ends_training(tmp_path, monkeypatch):
    model = small_model()
    support.interrupt_climb(monkeypatch, 2)
    options = filterviz.PatternOptions(steps=1, batch_size=3, tries=1, progress=False)
    with pytest.raises(KeyboardInterrupt):
        fit([filterviz.FiltersCallback(tmp_path, pattern_freq=1, patterns=options)], model=model)
    assert steps(tmp_path) == [0]
    ((*_, elements),) = [one for one in logs.read_events(tmp_path) if one[0] == PATTERNS_TAG]
    assert wire.parse_header(elements[0]).filters == (0, 1, 2)
    assert "call" not in vars(model.get_layer("conv"))


def test_every_option_of_patterns_reaches_them(tmp_path):
    options = filterviz.PatternOptions(filters=[3], steps=2, recipe="classic", tries=1, reference=X[:4], progress=False)
    model = small_model()
    fit([filterviz.FiltersCallback(tmp_path, pattern_freq=1, patterns=options)], model=model, epochs=1)
    logged = filterviz.read(tmp_path).patterns("train", "net/conv/kernel", 1)
    made = filterviz.generate_patterns(model, "conv", options=options)
    for name in ("filters", "images", "reached", "noise", "natural", "percentile", "curve"):
        np.testing.assert_array_equal(getattr(logged, name), getattr(made, name))
    assert (logged.recipe, logged.steps) == ("classic", 2)


def test_training_with_patterns_is_the_same_training(tmp_path):
    trained = []
    for callbacks in ([], [filterviz.FiltersCallback(tmp_path, pattern_freq=1, patterns=FAST)]):
        keras.utils.set_random_seed(8)
        model = small_model()
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(X, Y, epochs=2, batch_size=16, verbose=0, callbacks=callbacks).history
        trained.append((history, model.get_weights()))
    assert trained[0][0] == trained[1][0]
    for one, other in zip(trained[0][1], trained[1][1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_that_are_no_numbers_are_reported_and_training_goes_on(tmp_path, caplog):
    model = small_model()
    kernel, bias = model.get_layer("conv").get_weights()
    model.get_layer("conv").set_weights([np.full_like(kernel, np.nan), bias])
    fit([filterviz.FiltersCallback(tmp_path, pattern_freq=1, patterns=FAST)], model=model, epochs=1)
    assert "could not log patterns of net/conv/kernel at step 0; training goes on" in caplog.text
    assert "NaN" in caplog.text
    assert np.isnan(filterviz.read(tmp_path).kernel("train", "net/conv/kernel", 1)).all()


def test_filters_that_a_layer_does_not_have_raise_when_training_starts(tmp_path):
    callback = filterviz.FiltersCallback(tmp_path, pattern_freq=1, patterns=filterviz.PatternOptions(filters=[4]))
    with pytest.raises(ValueError, match=r"from 0 to 3: the layer 'net/conv/kernel' has 4 filters\. Received: 4"):
        fit([callback])
    fit([filterviz.FiltersCallback(tmp_path, pattern_freq=0, patterns=callback.patterns)], epochs=1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"kernel_freq": -1}, "`kernel_freq` must be a number of epochs, or 0 for never. Received: kernel_freq=-1"),
        ({"pattern_freq": 1.5}, "`pattern_freq` must be a number of epochs"),
        ({"kernel_freq": True}, "`kernel_freq` must be a number of epochs"),
        ({"patterns": 0}, "`filters` must be"),
    ],
)
def test_a_wrong_argument_raises_at_once(arguments, words):
    with pytest.raises(ValueError, match=words):
        filterviz.FiltersCallback(**arguments)


class Subclassed(keras.Model):
    """A model that is built by its first batch."""

    def __init__(self):
        super().__init__(name="net")
        self.conv = keras.layers.Conv2D(4, 3, name="conv")
        self.pool = keras.layers.GlobalMaxPooling2D()

    def call(self, x):
        return self.pool(self.conv(x))


def deferred():
    layers = [keras.layers.Conv2D(4, 3, name="conv"), keras.layers.GlobalMaxPooling2D()]
    return keras.Sequential(layers, name="net")


@pytest.mark.parametrize("make", [Subclassed, deferred])
@pytest.mark.parametrize("eagerly", [True, False])
def test_a_model_that_training_builds(tmp_path, make, eagerly, caplog):
    model = make()
    model.compile("adam", "sparse_categorical_crossentropy", run_eagerly=eagerly)
    fit([filterviz.FiltersCallback(tmp_path, layers="conv")], epochs=2, model=model)
    logged = [step for tag, step, *_ in logs.read_events(tmp_path) if tag.endswith("conv/kernel/filterviz.kernel")]
    assert logged in ([1, 2], [0, 1, 2])
    if 0 not in logged:
        assert "there is no step before training" in caplog.text


@pytest.mark.parametrize("make", [Subclassed, deferred])
def test_unknown_layers_of_a_model_that_training_builds(tmp_path, make):
    model = make()
    model.compile("adam", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="cnov"):
        fit([filterviz.FiltersCallback(tmp_path, layers="cnov")], epochs=2, model=model)


def test_unknown_layers_raise_when_training_starts(tmp_path):
    with pytest.raises(ValueError, match="conv"):
        fit([filterviz.FiltersCallback(tmp_path, layers=["cnov"])])
