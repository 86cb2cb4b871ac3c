"""Patterns through `summary` and the callback: of which layers, what is logged, and what is refused."""

import logging

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_filterviz as filterviz
from tb_filterviz import wire
from tests.support import logs
from tests.tf import support

L = keras.layers


def small_model():
    return keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            L.SeparableConv2D(4, 3, name="sep"),
            L.Conv2D(5, 3, activation="relu", name="conv"),
        ]
    )


def options(**changes):
    return filterviz.PatternOptions(**{"filters": 1, "steps": 1, "tries": 1, "progress": False, **changes})


def summarise(directory, model, made, layers=None):
    with tf.summary.create_file_writer(str(directory)).as_default() as writer:
        try:
            filterviz.summary("m", model, 0, layers=layers, patterns=made)
        finally:
            writer.flush()


def train(directory, model, made, layers=None):
    model.compile("sgd", "mse")
    x = [np.zeros((2, 10, 10, 3), np.float32) for _ in model.inputs]
    callback = filterviz.FiltersCallback(directory, 1, 1, layers, made)
    model.fit(
        x if len(x) > 1 else x[0], np.zeros((2, *model.output_shape[1:])), epochs=3, verbose=0, callbacks=callback
    )


def logged(directory):
    """Returns {path: filters} of all patterns that were logged."""
    headers = [wire.parse_header(elements[0]) for *_, elements in logs.read_events(directory)]
    return {header.layer.path: header.filters for header in headers if header.kind == wire.PATTERNS}


class Auxiliary(keras.Model):
    """A model that calls one of its layers in training only."""

    def __init__(self):
        super().__init__(name="m")
        self.a, self.aux, self.z = (L.Conv2D(2, 3, padding="same", name=name) for name in ("a", "aux", "z"))

    def build(self, shape):
        for layer, channels in ((self.a, 3), (self.aux, 2), (self.z, 2)):
            layer.build((*shape[:-1], channels))

    def call(self, x, training=False):
        x = self.a(x)
        return self.z(x + self.aux(x) if training else x)


def auxiliary():
    model = Auxiliary()
    model.build((None, 16, 16, 3))
    return model


def sequential(*layers):
    return keras.Sequential([keras.Input((10, 10, 3)), *layers], name="net")


def test_a_layer_that_cannot_have_patterns_is_left_out_with_a_warning(tmp_path):
    expected = (
        r"^Left out, because they cannot have patterns: 'aux': The model does not call this layer in inference mode"
    )
    with pytest.warns(UserWarning, match=expected) as caught:
        summarise(tmp_path, auxiliary(), options(size=16))
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert list(logged(tmp_path)) == ["m/a/kernel", "m/z/kernel"]


def test_one_that_is_named_raises_when_the_others_are_written(tmp_path):
    with pytest.raises(ValueError, match="does not call this layer in inference mode"):
        summarise(tmp_path, auxiliary(), options(size=16), layers=["aux", "z"])
    assert list(logged(tmp_path)) == ["m/z/kernel"]


def test_where_no_layer_can_have_patterns_that_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="The model cannot run on pictures of this `size`"):
        summarise(tmp_path, sequential(L.Conv2D(2, 3), L.Conv2D(2, 3)), options(size=2))


@pytest.mark.parametrize("write", [summarise, train])
@pytest.mark.parametrize("kernel", ["depthwise_kernel", "pointwise_kernel"])
def test_patterns_are_of_the_last_kernel_whichever_is_selected(tmp_path, write, kernel):
    model = sequential(L.SeparableConv2D(5, 3, name="sep"))
    write(tmp_path, model, options(filters=[1, 4]), layers=f"net/sep/{kernel}")
    assert logged(tmp_path) == {"net/sep/pointwise_kernel": (1, 4)}


@pytest.mark.parametrize("write", [summarise, train])
def test_filters_of_directions_are_those(tmp_path, write):
    directions = [[1, 0], [0, 1], [1, 1]]
    model = sequential(L.Conv2D(2, 3, name="conv"))
    write(tmp_path, model, options(filters=[2], direction=directions))
    assert logged(tmp_path) == {"net/conv/kernel": (2,)}
    with pytest.raises(ValueError, match=r"from 0 to 2: the layer 'net/conv/kernel' has 3 filters. Received: 3"):
        write(tmp_path / "wrong", model, options(filters=[3], direction=directions))


class Turned(L.Layer):
    """A convolution that stores its kernel as (height, width, out, in)."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=(3, 3, 8, shape[-1]), name="kernel")

    def call(self, x):
        return keras.ops.conv(x, keras.ops.transpose(self.kernel, (0, 1, 3, 2)))


@pytest.mark.parametrize("write", [summarise, train])
def test_how_many_filters_a_custom_layer_has_is_not_guessed(tmp_path, write):
    model = sequential(Turned(name="mine"))
    write(tmp_path, model, options(filters=[5], tries=2), layers="mine")
    assert logged(tmp_path) == {"net/mine/kernel": (5,)}
    with pytest.raises(ValueError, match="the layer 'mine' has 8 filters"):
        filterviz.generate_patterns(model, "mine", [8], steps=1, progress=False)


@pytest.mark.parametrize("write", [summarise, train])
def test_a_gated_layer_has_the_filters_of_its_outputs(tmp_path, write):
    inputs = keras.Input((3, 10, 10, 3))
    model = keras.Model(inputs, L.ConvLSTM2D(2, 3, name="lstm")(inputs), name="net")
    with pytest.raises(ValueError, match=r"has 2 filters\. Received: 2"):
        write(tmp_path, model, options(filters=[2]))


def two_inputs(right=None):
    inputs = [keras.Input((10, 10, 3), name="left"), keras.Input((10, 10, 3), name="right") if right is None else right]
    added = L.Add()([keras.ops.cast(one, "float32") for one in inputs])
    return keras.Model(inputs, L.Conv2D(2, 3, name="conv")(added), name="net")


@pytest.mark.parametrize("write", [summarise, train])
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"direction": [1, 0, 0]}, "`direction` must hold 2 numbers, .* Received: 3, layer='conv/kernel'"),
        ({"input": "middle"}, "`input` must be the name or the index of an input of the model: 0: 'left'"),
        ({"input": "left", "other_inputs": {"middle": 0}}, "`other_inputs` must be of inputs other than the one"),
    ],
)
def test_what_is_known_to_be_wrong_is_refused_before_anything_is_done(tmp_path, write, changes, words):
    with pytest.raises(ValueError, match=words):
        write(tmp_path, two_inputs(), options(**changes))
    assert not list(tmp_path.rglob("events*")) or not logs.read_events(tmp_path)


@pytest.mark.parametrize("write", [summarise, train])
@pytest.mark.parametrize(
    ("others", "words"),
    [
        ({"codes": 0}, r"`other_inputs` must hold one sample of each, .* 'codes' of shape \(10, 10, 3\)"),
        ({"code": 0}, "`other_inputs` must be of inputs other than the one that is climbed, .*: 'codes'"),
    ],
)
def test_other_inputs_of_the_only_one_that_can_be_climbed_are_checked_too(tmp_path, write, others, words):
    model = two_inputs(right=keras.Input((10, 10, 3), name="codes", dtype="int32"))
    with pytest.raises(ValueError, match=words):
        write(tmp_path, model, options(other_inputs=others))
    assert not list(tmp_path.rglob("events*")) or not logs.read_events(tmp_path)


def test_the_same_failure_is_explained_once(tmp_path, caplog):
    with caplog.at_level(logging.ERROR, "tb_filterviz"):
        train(tmp_path, two_inputs(), options())  # several inputs, and none is chosen
    assert [bool(record.exc_info) for record in caplog.records] == [True, False, False, False]
    assert [record.getMessage() for record in caplog.records[1:]] == [
        f"Filters: could not log patterns of conv/kernel at step {step}, for the same reason; training goes on."
        for step in (1, 2, 3)
    ]


def test_another_failure_is_explained_again(tmp_path, caplog, monkeypatch):
    reasons = iter(["first", "first", "second", "first"])

    def fail(*_, **__):
        raise ValueError(next(reasons))

    monkeypatch.setattr("tb_filterviz.callback.until_interrupt", fail)
    with caplog.at_level(logging.ERROR, "tb_filterviz"):
        train(tmp_path, sequential(L.Conv2D(2, 3)), options())
    assert [bool(record.exc_info) for record in caplog.records] == [True, False, True, True]


@pytest.mark.parametrize(
    ("patterns", "words"),
    [
        (0, r"`patterns` must be None, a number of filters from 1, or PatternOptions\. Received: patterns=0"),
        (True, "`patterns` must be"),
    ],
)
def test_a_wrong_number_of_patterns_is_named_before_anything_is_written(tmp_path, patterns, words):
    with tf.summary.create_file_writer(str(tmp_path)).as_default() as writer:
        with pytest.raises(ValueError, match=words):
            filterviz.summary("net", small_model(), step=0, patterns=patterns)
        writer.flush()
    assert logs.read_events(tmp_path) == []


def test_patterns_join_their_kernels(tmp_path):
    chosen = filterviz.PatternOptions(filters=3, steps=2, progress=False)
    with tf.summary.create_file_writer(str(tmp_path)).as_default() as writer:
        assert filterviz.summary("net", small_model(), step=4, patterns=chosen)
        writer.flush()
    headers = [wire.parse_header(elements[0]) for *_, elements in logs.read_events(tmp_path)]
    kernels = {header.layer for header in headers if header.kind == wire.KERNEL}
    patterns = [header for header in headers if header.kind == wire.PATTERNS]
    assert [header.layer.path.split("/")[-2:] for header in patterns] == [
        ["sep", "pointwise_kernel"],
        ["conv", "kernel"],
    ]
    assert {header.layer for header in patterns} < kernels
    assert all(header.filters == (0, 1, 2) and header.steps == 2 for header in patterns)


def test_every_option_of_patterns_reaches_them_and_what_they_are_measured_by_is_logged(tmp_path):
    natural = np.random.default_rng(0).random((3, 12, 12, 3))
    chosen = filterviz.PatternOptions(
        filters=[1, 3],
        steps=3,
        recipe="classic",
        seed=4,
        tries=1,
        reference=natural,
        input_range=(0, 1),
        progress=False,
    )
    model = small_model()
    with tf.summary.create_file_writer(str(tmp_path)).as_default() as writer:
        filterviz.summary("net", model, step=4, layers="conv", patterns=chosen)
        writer.flush()
    log = filterviz.read(tmp_path)
    read = log.patterns(log.runs()[0], log.layers(log.runs()[0])[0])
    made = filterviz.generate_patterns(model, "conv", options=chosen)
    for name in ("filters", "images", "start", "reached", "failed", "noise", "natural", "percentile", "curve"):
        np.testing.assert_array_equal(getattr(read, name), getattr(made, name))
    assert (read.recipe, read.steps, read.input_range) == ("classic", 3, (0.0, 1.0))
    assert np.isfinite(read.natural).all()
    assert read.curve.shape == (2, 4)


def test_an_interrupt_writes_the_patterns_that_are_done_and_goes_through(tmp_path, monkeypatch):
    support.interrupt_climb(monkeypatch, 3)
    chosen = filterviz.PatternOptions(steps=2, batch_size=2, tries=1, progress=False)
    with tf.summary.create_file_writer(str(tmp_path)).as_default() as writer:
        with pytest.raises(KeyboardInterrupt):
            filterviz.summary("net", small_model(), step=4, patterns=chosen)  # 2 batches of 2, then of 2, 2 and 1
        writer.flush()
    headers = [wire.parse_header(elements[0]) for *_, elements in logs.read_events(tmp_path)]
    done = {header.layer.layer_class: header.filters for header in headers if header.kind == wire.PATTERNS}
    assert done == {"SeparableConv2D": (0, 1, 2, 3)}, "the interrupt came before any of the second layer was done"


def test_an_interrupt_within_a_layer_writes_its_part(tmp_path, monkeypatch):
    support.interrupt_climb(monkeypatch, 2)
    chosen = filterviz.PatternOptions(steps=2, batch_size=2, tries=1, progress=False)
    with tf.summary.create_file_writer(str(tmp_path)).as_default() as writer:
        with pytest.raises(KeyboardInterrupt):
            filterviz.summary("net", small_model(), step=4, layers="conv", patterns=chosen)
        writer.flush()
    (header,) = (
        header
        for *_, elements in logs.read_events(tmp_path)
        if (header := wire.parse_header(elements[0])).kind == wire.PATTERNS
    )
    assert header.filters == (0, 1)


def test_a_filter_that_one_of_the_layers_does_not_have_is_named_before_anything_is_done(tmp_path):
    chosen = filterviz.PatternOptions(filters=[0, 4], progress=False)  # the first layer has four
    with tf.summary.create_file_writer(str(tmp_path)).as_default() as writer:
        with pytest.raises(
            ValueError, match=r"from 0 to 3: the layer '.*sep/pointwise_kernel' has 4 filters\. Received: 4"
        ):
            filterviz.summary("net", small_model(), step=4, patterns=chosen)
        writer.flush()
    assert logs.read_events(tmp_path) == []


def test_patterns_that_were_made_before(tmp_path):
    model = small_model()
    made = filterviz.generate_patterns(model, "conv", filters=[1, 4], steps=2, progress=False)
    with tf.summary.create_file_writer(str(tmp_path)).as_default() as writer:
        assert filterviz.summary("net", made, step=4)
        writer.flush()
    ((tag, step, _, elements),) = logs.read_events(tmp_path)
    assert (tag, step) == (wire.tag("net", made.layer.path, wire.PATTERNS), 4)
    assert wire.parse_header(elements[0]).filters == (1, 4)


def test_patterns_are_not_made_when_nothing_records():
    with tf.summary.record_if(False):
        assert not filterviz.summary("net", small_model(), step=0, patterns=10**6)


def test_patterns_in_a_traced_function_are_refused(tmp_path):
    model = small_model()
    traced = tf.function(lambda: filterviz.summary("net", model, 0, patterns=2))
    with (
        tf.summary.create_file_writer(str(tmp_path)).as_default(),
        pytest.raises(ValueError, match=r"inside a tf\.function"),
    ):
        traced()
