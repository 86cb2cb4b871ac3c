"""Climbs in bfloat16: asked for in the graph of the climb alone, and as good when measured in float32."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tb_filterviz.patterns import generate_patterns, parameterization, precision
from tb_filterviz.patterns.engine import Engine
from tb_filterviz.patterns.recipes import RECIPES

L = keras.layers
SIDE = 32


def deep():
    keras.utils.set_random_seed(3)
    conv = L.Conv2D(8, 3, name="conv")
    layers = [L.Conv2D(16, 3, activation="relu"), L.MaxPooling2D(2), L.Conv2D(16, 3, activation="relu"), conv]
    return keras.Sequential([keras.Input((SIDE, SIDE, 3)), *layers]), conv


def climb(model, conv, **options):
    return generate_patterns(model, conv, input_range=(0, 1), progress=False, **options)


@pytest.mark.parametrize(
    ("flags", "fast"),
    [("fpu avx512f amx_bf16 amx_tile", True), ("avx512_bf16", True), ("fpu avx2 avx512f", False), ("", False)],
)
def test_a_processor_is_fast_by_its_instructions(tmp_path, flags, fast):
    path = tmp_path / "cpuinfo"
    path.write_text(f"processor\t: 0\nflags\t\t: {flags}\n\nprocessor\t: 1\nflags\t\t: {flags}\n")
    assert precision.is_fast(str(path)) == fast


def test_without_onednn_no_processor_is_fast(tmp_path, monkeypatch):
    path = tmp_path / "cpuinfo"
    path.write_text("flags\t\t: amx_bf16\n")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    assert not precision.is_fast(str(path))


def test_where_nothing_is_told_of_the_processor_it_counts_as_slow(tmp_path):
    assert not precision.is_fast(str(tmp_path / "none"))


def calls(engine):
    """Finds the calls within the loop, with whether each may compute in bfloat16."""
    found = []
    for function in engine._advance.graph.as_graph_def().library.function:
        for node in function.node_def:
            if "config_proto" in node.attr and "PartitionedCall" in node.op:
                config = tf.compat.v1.ConfigProto.FromString(node.attr["config_proto"].s)
                rewrite = config.graph_options.rewrite_options
                found.append(rewrite.auto_mixed_precision_onednn_bfloat16 == rewrite.ON)
    return found


@pytest.mark.parametrize("reduced", [False, True])
def test_the_climb_alone_is_told_to(reduced):
    model, conv = deep()
    before = tf.config.optimizer.get_experimental_options()
    engine = Engine(model, conv, lambda pictures: pictures, (SIDE, SIDE, 3), RECIPES["default"], reduced=reduced)
    assert calls(engine).count(True) == reduced
    assert calls(engine)
    assert tf.config.optimizer.get_experimental_options() == before
    # What it measures is what the model answers, in full.
    noise = parameterization.noise(0, [0, 1], engine.parameterization)
    engine.climb(noise, np.array([0, 1], np.int32), np.full(3, 0.3, np.float32))
    pictures = engine.pictures(noise)
    expected = model(pictures, training=False).numpy()[:, 2:-2, 2:-2]
    expected = np.where(expected > 0, expected, expected / 10).mean((1, 2))
    np.testing.assert_allclose(engine.measure(pictures)[0], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("recipe", ["default", "classic", "robust"])
def test_filters_reach_as_much_as_in_float32(recipe):
    model, conv = deep()
    full, reduced = (climb(model, conv, recipe=recipe, compute_dtype=name) for name in ("float32", "bfloat16"))
    np.testing.assert_allclose(reduced.start, full.start, rtol=1e-4, atol=1e-6)  # measured, not rounded
    gained = full.reached - full.start
    assert (gained > 0).all()
    # A climb that lost its way, as that of "maco" does, gains nothing for some filters.
    assert (reduced.reached - full.start > 0.85 * gained).all()
    assert np.median((reduced.reached - full.start) / gained) == pytest.approx(1, abs=0.05)
    # Where it is fast, it does take effect; it may elsewhere, too.
    assert (reduced.curve != full.curve).any() or not precision.is_fast()


@pytest.mark.parametrize("fast", [False, True])
def test_it_is_chosen_by_the_processor_and_the_recipe(monkeypatch, fast):
    monkeypatch.setattr(precision, "is_fast", lambda: fast)
    made = []
    real = Engine.__init__
    monkeypatch.setattr(Engine, "__init__", lambda self, *rest: made.append(rest[-1]) or real(self, *rest))
    model, conv = deep()
    for options in (
        {},
        {"recipe": "maco"},
        {"compute_dtype": "float32"},
        {"compute_dtype": "bfloat16", "recipe": "maco"},
    ):
        climb(model, conv, filters=1, steps=1, tries=1, **options)
    # Engines that were made for one are kept for it.
    climb(model, conv, filters=1, steps=1, tries=1, compute_dtype="bfloat16")
    assert made == ([True, False, False, True] if fast else [False, False, True, True])
