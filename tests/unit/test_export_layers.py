"""The numbers of every filter of every layer in one table, against plain computations of what was logged."""

import csv
import io

import numpy as np
import pytest
import scipy.stats

import tb_filterviz as filterviz
from tb_filterviz import analysis, insight, records, wire
from tb_filterviz.export.layers import AllNumbers
from tb_filterviz.export.options import SERVER, Budget, OptionError, Options
from tests.support import logs

SHAPES = {"a/kernel": (3, 3, 3, 6), "b/kernel": (5, 5, 2, 4), "c/kernel": (7, 5), "=d/kernel": (3, 3, 8, 3)}
STEPS = (0, 4, 9)
COLUMNS = ["run", "layer", "step", "filter", *analysis.NUMBERS, "dead", *analysis.COLUMNS, "problem"]


def values_of(path, step):
    """Of each layer filter 1 is like 0, and 2 is dead."""
    rng = np.random.default_rng([len(path), SHAPES[path][-1], step])
    values = rng.normal(0.1, 1, SHAPES[path]).astype(np.float32)
    values[..., 1], values[..., 2] = 3 * values[..., 0], values[..., 2] / 1000
    return values


def event(path, position, step, values, damaged=None):
    elements = wire.encode_kernel(records.Kernel(records.Layer(path, "Conv2D", position), values), "cnn")
    if damaged is not None:
        elements[damaged] = elements[damaged][:-1] + bytes([elements[damaged][-1] ^ 1])
    return logs.event(wire.tag("cnn", path, wire.KERNEL), step, logs.blob_tensor(elements), wire.metadata(wire.KERNEL))


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    directory = tmp_path_factory.mktemp("logs")
    events = [
        event(path, position, step, values_of(path, step)) for step in STEPS for position, path in enumerate(SHAPES)
    ]
    events.append(event("late/kernel", 9, 30, values_of("a/kernel", 0)))
    logs.write_file(directory / "train" / "events.out.tfevents.1", events)
    broken = [
        event("a/kernel", 0, 9, values_of("a/kernel", 9)),
        event("numbers/kernel", 1, 9, values_of("a/kernel", 9), damaged=1),
        event("weights/kernel", 2, 9, values_of("a/kernel", 9), damaged=2),
        event("large/kernel", 3, 9, np.ones((1, 4097), np.float32)),
    ]
    logs.write_file(directory / "broken" / "events.out.tfevents.1", broken)
    return filterviz.read(directory)


def rows_of(figure):
    return list(csv.DictReader(io.StringIO(figure.encode("csv").decode(), newline="")))


def of_layer(rows, path):
    return [row for row in rows if row["layer"].lstrip("'") == path]


def column(rows, name):
    return [float(row[name]) for row in rows]


def flat(values):
    return values.reshape(-1, values.shape[-1]).astype(float)


def test_each_filter_of_each_layer_has_its_row(log):
    rows = rows_of(log.numbers("train", step=20))
    assert list(rows[0]) == COLUMNS
    places = [(row["layer"], row["run"], row["step"], row["filter"]) for row in rows]
    written = {path: path.replace("=", "'=") for path in SHAPES}  # no formula
    assert places == [(written[path], "train", "9", str(o)) for path in SHAPES for o in range(SHAPES[path][-1])]
    assert {row["problem"] for row in rows} == {""}


@pytest.mark.parametrize("path", SHAPES)
def test_numbers_are_those_of_the_weights(log, path):
    rows = of_layer(rows_of(log.numbers("train", step=20)), path)
    exact = flat(values_of(path, 9))
    small = np.float32(np.abs(exact).max() / 100)
    expected = {
        "norm": np.linalg.norm(exact, axis=0),
        "l1": np.linalg.norm(exact, 1, axis=0),
        "min": exact.min(axis=0),
        "max": exact.max(axis=0),
        "mean": exact.mean(axis=0),
        "std": np.sqrt(scipy.stats.moment(exact, 2)),
        "near_zero": (np.abs(exact) < small).mean(axis=0),
        "nonfinite": 0 * exact[0],
    }
    for name, numbers in expected.items():
        np.testing.assert_allclose(column(rows, name), numbers, rtol=2e-6, atol=1e-7, err_msg=name)
    count = exact.shape[1]
    assert [row["dead"] for row in rows] == ["0", "0", "1"] + ["0"] * (count - 3)
    assert [row["duplicate_of"] for row in rows] == ["0", "0"] + ["nan"] * (count - 2)
    now, *earlier = (flat(values_of(path, step).astype(np.float16)) for step in (9, 4, 0))  # as they are stored
    for before, (change, cosine) in zip(earlier, [("change", "cosine"), ("change_first", "cosine_first")], strict=True):
        lengths = np.linalg.norm(before, axis=0)
        np.testing.assert_allclose(column(rows, change), np.linalg.norm(now - before, axis=0) / lengths, rtol=1e-5)
        products = (now * before).sum(axis=0) / lengths / np.linalg.norm(now, axis=0)
        np.testing.assert_allclose(column(rows, cosine), products, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("depth", ["full", "stored"])
def test_they_are_those_of_the_layers_one_by_one(log, depth):
    rows = rows_of(log.numbers("train", step=20, depth=depth))
    assert list(rows[0]) == (COLUMNS if depth == "full" else [*COLUMNS[:4], *analysis.NUMBERS, "problem"])
    for path in SHAPES:
        alone = rows_of(log.numbers("train", path, 9, depth=depth))
        assert [*alone[0], "problem"] == list(rows[0])
        assert [{name: row[name] for name in alone[0]} for row in of_layer(rows, path)] == alone


def test_a_layer_is_at_its_newest_step_up_to_the_one_asked_for(log):
    assert {row["layer"] for row in rows_of(log.numbers("train", step=20))} == {"'=d/kernel", *[*SHAPES][:3]}
    assert of_layer(rows_of(log.numbers("train")), "late/kernel")[0]["step"] == "30"
    assert {row["step"] for row in rows_of(log.numbers("train", step=8))} == {"4"}
    assert {row["change"] for row in rows_of(log.numbers("train", step=0))} == {"nan"}


def test_one_layer_or_several_have_the_same_columns(tmp_path):
    logs.write_file(tmp_path / "events.out.tfevents.1", [event("a/kernel", 0, 9, values_of("a/kernel", 9))])
    assert list(rows_of(filterviz.read(tmp_path).numbers("."))[0]) == COLUMNS


def test_what_is_damaged_or_too_large_says_so_and_costs_no_other(log):
    rows = rows_of(log.numbers("broken"))
    assert of_layer(rows, "a/kernel") == [
        {**row, "run": "broken", **dict.fromkeys(COLUMNS[-5:-1], "nan")}
        for row in of_layer(rows_of(log.numbers("train", step=9)), "a/kernel")
    ]
    (nothing,) = of_layer(rows, "numbers/kernel")
    assert nothing["problem"] == "It cannot be read: the checksum of element 1 does not match: its bytes are damaged"
    assert {nothing[name] for name in COLUMNS[3:-1]} == {"nan"}
    some = of_layer(rows, "weights/kernel")
    assert {row["problem"] for row in some} == {nothing["problem"].replace("element 1", "element 2")}
    np.testing.assert_allclose(column(some, "norm"), np.linalg.norm(flat(values_of("a/kernel", 9)), axis=0), rtol=1e-6)
    assert ({row["dead"] for row in some}, {row["duplicate_of"] for row in some}) == ({"0", "1"}, {"nan"})
    large = of_layer(rows, "large/kernel")
    assert len(large) == 4097
    assert large[0]["problem"].startswith("To be analysed, it must be a kernel of at most")
    assert {row["problem"] for row in rows_of(log.numbers("broken", depth="stored"))} == {"", nothing["problem"]}


def test_arrays(log):
    with np.load(io.BytesIO(log.numbers("broken").encode("npz"))) as found:
        numbers, names = found["numbers"], found["names"].tolist()
        assert (numbers.dtype, names) == (np.float32, COLUMNS[4:-1])
        assert found["layers"].tolist() == ["a/kernel", "numbers/kernel", "weights/kernel", "large/kernel"]
        assert found["steps"].tolist() == [9] * 4
        assert np.bincount(found["layer"]).tolist() == [6, 1, 6, 4097]
        assert found["filters"][:8].tolist() == [*range(6), -1, 0]
        expected = np.linalg.norm(flat(values_of("a/kernel", 9)), axis=0)
        np.testing.assert_allclose(numbers[:6, names.index("norm")], expected, rtol=1e-6)
        np.testing.assert_array_equal(np.load(io.BytesIO(log.numbers("broken").encode("npy"))), numbers)


@pytest.mark.parametrize("form", ["csv", "npz"])
def test_two_exports_are_the_same_bytes(log, form):
    again = filterviz.read(log._logdir)
    assert (
        log.numbers("broken").encode(form) == log.numbers("broken").encode(form) == again.numbers("broken").encode(form)
    )


def test_infinities_are_no_less_than_that(tmp_path):
    values = values_of("a/kernel", 9).astype(np.float64)
    values[0, 0, 0, 3] = 1e300
    logs.write_file(tmp_path / "events.out.tfevents.1", [event("a/kernel", 0, 0, values)])
    log = filterviz.read(tmp_path)
    row = rows_of(log.numbers("."))[3]
    assert (row["norm"], row["max"]) == ("inf", "inf"), "more than a float32 can hold"
    assert rows_of(log.numbers(".", "a/kernel"))[3]["max"] == "inf"


INSTEAD = "; else take the layers one by one, or the numbers of all with `depth` stored"


def test_what_would_take_too_much_is_refused(log):
    layers = log._all_layers("train", 20)
    for budget, words in (
        (Budget(1, 1, 1, 1 << 24, 1, layers=3), "`run` must be one of at most 3 layers. Received: run='4 layers'"),
        (
            Budget(1, 1, 1, 70, 1),
            f"`run` must be one of at most 560 weights{INSTEAD}. Received: run='613 weights'",
        ),
        (
            Budget(1, 1, 1, 1 << 24, 1, work=698),
            f"`run` must be one of at most 698 weights and pairs of filters{INSTEAD}. "
            "Received: run='699 weights and pairs of filters'",
        ),
        (Budget(1, 1, 1, 300, 1), "`run` must be one of at most 300 numbers of filters. Received: run='342 numbers'"),
    ):
        with pytest.raises(OptionError) as raised:
            AllNumbers("train", layers, Options(), budget)
        assert str(raised.value) == words


def test_what_is_not_analysed_takes_no_work(log):
    """As what was only logged, and a kernel that is too large: its pairs of filters are nobody's."""
    AllNumbers("train", log._all_layers("train", 20), Options(depth="stored"), Budget(1, 1, 1, 1 << 24, 1, work=1))
    layers = log._all_layers("broken", -1)
    assert "large/kernel" in [place.layer for place, _ in layers]
    assert AllNumbers("broken", layers, Options(), Budget(1, 1, 1, 1 << 24, 1, work=1000)).encode("csv")


def test_a_server_works_for_no_more_than_minutes(tmp_path, monkeypatch):
    """A log of 64 dense layers of 4096 filters each is 2 MB."""
    values = np.zeros((1, 4096), np.float16)
    events = [event(f"{at}/kernel", at, 0, values) for at in range(64)]
    logs.write_file(tmp_path / "events.out.tfevents.1", events)
    monkeypatch.delattr(insight, "report")
    with pytest.raises(OptionError, match="`run` must be one of at most 536870912 weights and pairs of filters; else"):
        AllNumbers(".", filterviz.read(tmp_path)._all_layers(".", -1), Options(), SERVER)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda log: log.numbers("nope"), KeyError, "there is no run 'nope'"),
        (
            lambda log: log.numbers("train", step=-5),
            KeyError,
            "run 'train' has no kernel up to step -5; the first is of step 0",
        ),
        (lambda log: log.numbers("train", filters=3), OptionError, "`layer` must be given where `kind` or `filters`"),
        (lambda log: log.numbers("train", kind="patterns"), OptionError, "`layer` must be given where `kind` or"),
        (lambda log: log.numbers("train", depth="deep"), OptionError, "`depth` must be full or stored"),
        (lambda log: log.numbers("train").encode("png"), OptionError, "`format` must be one of csv, npy, npz"),
        (lambda log: log.numbers("train").pixels, OptionError, "`format` must be one of csv, npy, npz"),
    ],
)
def test_what_cannot_be_is_named(log, call, error, words):
    with pytest.raises(error, match=words):
        call(log)
