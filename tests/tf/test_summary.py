"""`summary` beside `tf.summary.image`, and what it wrote, read back from event files."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_filterviz as filterviz
from tb_filterviz import wire
from tests.support import logs
from tests.tf import models

ARRAY = np.random.default_rng(0).normal(size=(3, 3, 4, 8)).astype(np.float32)
PICTURE = np.zeros((1, 4, 4, 1), np.float32)


@pytest.fixture(autouse=True)
def no_step():
    tf.summary.experimental.set_step(None)


def ours(step=None):
    return filterviz.summary("name", ARRAY, step)


def theirs(step=None):
    return tf.summary.image("name", PICTURE, step)


def both(directory, use):
    """Runs `use(op)` with each op and a writer of its own; returns the results and (tag, step) pairs for both."""
    results, written = [], []
    for name, op in (("ours", ours), ("theirs", theirs)):
        with tf.summary.create_file_writer(str(directory / name)).as_default() as writer:
            results.append(use(op))
            writer.flush()
        tags = [(tag.removesuffix("/filterviz.kernel"), step) for tag, step, *_ in logs.read_events(directory / name)]
        written.append(tags)
    return results, written


def read_kernels(directory):
    """Returns {(tag, step): canonical kernel} of all kernels below a directory."""
    kernels = {}
    for tag, step, _, elements in logs.read_events(directory):
        header = wire.parse_header(elements[0])
        if header.kind == wire.KERNEL:
            chunks = [
                wire.decode_chunk(header, wire.check_element(header, i, e)) for i, e in enumerate(elements) if i > 1
            ]
            kernels[tag, step] = np.moveaxis(np.concatenate(chunks), 0, -1)
    return kernels


@pytest.mark.parametrize("op", [ours, theirs])
def test_without_a_writer_nothing_is_written(op):
    result = op(0)
    assert isinstance(result, tf.Tensor)
    assert result.dtype == tf.bool
    assert not result


def test_writes_and_says_so(tmp_path):
    results, written = both(tmp_path, lambda op: op(7))
    assert all(isinstance(result, tf.Tensor) and bool(result) for result in results)
    assert written == [[("name", 7)]] * 2


def test_a_missing_step_is_the_same_error(tmp_path):
    messages = []
    for op in (ours, theirs):
        with (
            tf.summary.create_file_writer(str(tmp_path)).as_default(),
            pytest.raises(ValueError, match="No step set") as caught,
        ):
            op()
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert "No step set" in messages[0]


def test_the_default_step(tmp_path):
    def use(op):
        tf.summary.experimental.set_step(11)
        return op()

    _, written = both(tmp_path, use)
    assert written == [[("name", 11)]] * 2


def test_record_if(tmp_path):
    def use(op):
        results = []
        for step in range(4):
            with tf.summary.record_if(step % 2 == 1):
                results.append(bool(op(step)))
        return results

    results, written = both(tmp_path, use)
    assert results == [[False, True, False, True]] * 2
    assert written == [[("name", 1), ("name", 3)]] * 2


def test_record_if_that_answers_anew_each_time(tmp_path):
    """A summary is written whole or not at all, each kernel under its own tag."""
    answers = iter([True, False, True, False] * 10)
    data = {name: np.full((1, 1, 2, 3), value, np.float32) for value, name in enumerate("abc")}
    with tf.summary.create_file_writer(str(tmp_path)).as_default() as writer:
        with tf.summary.record_if(lambda: next(answers)):
            results = [bool(filterviz.summary("net", data, step)) for step in range(4)]
        writer.flush()
    assert results == [True, False, True, False]
    kernels = read_kernels(tmp_path)
    expected = {(f"net/{name}/filterviz.kernel", step) for name in "abc" for step in (0, 2)}
    assert set(kernels) == expected
    for (tag, _), kernel in kernels.items():
        assert (kernel == "abc".index(tag.split("/")[1])).all()


def test_name_scopes(tmp_path):
    def use(op):
        with tf.name_scope("outer"), tf.name_scope("inner"):
            return op(0)

    _, written = both(tmp_path, use)
    assert written == [[("outer/inner/name", 0)]] * 2


def test_in_a_traced_function(tmp_path):
    """A step that is a tensor follows; a Python number is the one the function was traced with."""

    def use(op):
        traced = tf.function(op)
        results = [bool(traced(tf.constant(step, tf.int64))) for step in (1, 2)]
        counter = iter((5, 6))
        frozen = tf.function(lambda: op(next(counter)))
        return [*results, bool(frozen()), bool(frozen())]

    results, written = both(tmp_path, use)
    assert results == [[True] * 4] * 2
    assert written == [[("name", 1), ("name", 2), ("name", 5), ("name", 5)]] * 2


def test_record_if_in_a_traced_function(tmp_path):
    def use(op):
        @tf.function
        def traced(step):
            with tf.summary.record_if(lambda: step % 2 == 0):
                return op(step)

        return [bool(traced(tf.constant(step, tf.int64))) for step in range(4)]

    results, written = both(tmp_path, use)
    assert results == [[True, False, True, False]] * 2
    assert written == [[("name", 0), ("name", 2)]] * 2


def test_a_traced_function_logs_variables_as_they_are_when_it_runs(tmp_path):
    layer = keras.layers.Conv2D(8, 3)
    layer.build((None, 8, 8, 4))

    @tf.function
    def train(step):
        layer.kernel.assign(layer.kernel + 1.0)
        filterviz.summary("net", layer, step)

    layer.kernel.assign(ARRAY)
    with tf.summary.create_file_writer(str(tmp_path)).as_default() as writer:
        for step in range(3):
            train(tf.constant(step, tf.int64))
        writer.flush()
    kernels = list(read_kernels(tmp_path).values())
    assert len(kernels) == 3
    for step, kernel in enumerate(kernels):
        np.testing.assert_allclose(kernel, ARRAY + step + 1, rtol=1e-3)


def test_xla_is_refused_with_a_reason(tmp_path):
    compiled = tf.function(lambda: filterviz.summary("name", ARRAY, 0), jit_compile=True)
    with tf.summary.create_file_writer(str(tmp_path)).as_default(), pytest.raises(ValueError, match="jit_compile=True"):
        compiled()


def test_mirrored_strategy_writes_once(tmp_path):
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    assert strategy.num_replicas_in_sync == 2
    with strategy.scope():
        layer = keras.layers.Conv2D(8, 3)
        layer.build((None, 8, 8, 4))
        layer.kernel.assign(ARRAY)

    @tf.function
    def step(number):
        return strategy.run(lambda: filterviz.summary("net", layer, number))

    with tf.summary.create_file_writer(str(tmp_path)).as_default() as writer:
        results = strategy.experimental_local_results(step(tf.constant(3, tf.int64)))
        writer.flush()
    assert [bool(result) for result in results] == [True, False]
    ((where, kernel),) = read_kernels(tmp_path).items()
    assert where[1] == 3
    np.testing.assert_array_equal(kernel, ARRAY.astype(np.float16))


@pytest.mark.parametrize("case", models.CASES, ids=lambda case: case.name)
def test_what_was_logged_convolves_as_the_layer_does(case, tmp_path):
    """The proof of the sources, with the kernels taken from the event file."""

    def logged(case, data):
        with tf.summary.create_file_writer(str(tmp_path)).as_default() as writer:
            assert filterviz.summary("net", data, step=0, layers=case.layers, layout=case.layout, precision="float32")
            writer.flush()
        return list(read_kernels(tmp_path).values())

    models.check(case, logged, tolerance=1e-6)


def test_tags_metadata_and_order(tmp_path):
    data = {"b/second": ARRAY, 'a "first"': ARRAY[0]}
    with tf.summary.create_file_writer(str(tmp_path)).as_default() as writer:
        filterviz.summary("net", data, step=0, description="what *this* is")
        writer.flush()
    events = logs.read_events(tmp_path)
    assert [tag for tag, *_ in events] == ["net/b/second/filterviz.kernel", "net/a %22first%22/filterviz.kernel"]
    headers = [wire.parse_header(elements[0]) for *_, elements in events]
    assert [(header.name, header.layer.path, header.layer.position) for header in headers] == [
        ("net", "b/second", 0),
        ("net", 'a "first"', 1),
    ]
    for _, _, metadata, _ in events:
        assert metadata.plugin_data.plugin_name == "filterviz"
        assert metadata.summary_description == "what *this* is"


@pytest.mark.parametrize(("precision", "share"), [("float16", 0.51), ("float32", 1.01), ("int8", 0.75)])
def test_bytes_on_disk(tmp_path, precision, share):
    values = np.random.default_rng(0).normal(size=(3, 3, 256, 256)).astype(np.float32)
    with tf.summary.create_file_writer(str(tmp_path)).as_default():
        filterviz.summary("net", values, step=0, precision=precision)
    (file,) = tmp_path.iterdir()
    assert file.stat().st_size <= share * values.nbytes


def test_not_a_number_is_logged_and_counted(tmp_path):
    values = ARRAY.copy()
    values[0, 0, 0, 2], values[1, 1, 1, 2] = np.nan, -np.inf
    with tf.summary.create_file_writer(str(tmp_path)).as_default() as writer:
        assert filterviz.summary("net", values, step=0)
        writer.flush()
    ((*_, elements),) = logs.read_events(tmp_path)
    header = wire.parse_header(elements[0])
    nonfinite = wire.number(header, wire.decode_numbers(header, elements[1]), "nonfinite")
    assert nonfinite.tolist() == [0, 0, 2, 0, 0, 0, 0, 0]
    (kernel,) = read_kernels(tmp_path).values()
    np.testing.assert_array_equal(kernel, values.astype(np.float16))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"data": np.zeros((3, 3, 0, 8))}, "`data`"),
        ({"data": np.array([["a"]])}, "`data`"),
        ({"data": ARRAY.astype(np.complex64)}, "`data`"),
        ({"data": [[1.0], [1.0, 2.0]]}, "`data`"),
        ({"data": np.zeros(5)}, "`data`"),
        ({"data": None}, "`data`"),
        ({"layout": "HWCO"}, "`layout`"),
        ({"layout": "OIW"}, "`layout`"),
        (
            {"precision": "float8"},
            "`precision` must be one of 'float16', 'float32', 'int8'. Received: precision='float8'",
        ),
        ({"patterns": 4}, "`patterns` need a Keras model.*Received: data of type ndarray, patterns=4"),
        ({"name": None}, "`name` must be a string. Received: name=None"),
    ],
)
def test_a_wrong_argument_is_named_before_anything_is_written(tmp_path, arguments, words):
    with tf.summary.create_file_writer(str(tmp_path)).as_default() as writer:
        with pytest.raises(ValueError, match=words.replace("(", r"\(")):
            filterviz.summary(**{"name": "net", "data": ARRAY, "step": 0, **arguments})
        writer.flush()
    assert logs.read_events(tmp_path) == []
