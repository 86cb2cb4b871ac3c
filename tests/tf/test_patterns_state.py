"""Models left as they were where Keras does not help, and where several threads make patterns of one."""

import concurrent.futures
import itertools

import keras
import numpy as np
import tensorflow as tf

from tb_filterviz.patterns import generate_patterns
from tb_filterviz.sources.keras import layer_tree

L = keras.layers
SIDE = 20


def make(model, layer, filters=None, **options):
    return generate_patterns(model, layer, filters, **{"steps": 2, "tries": 1, "progress": False, **options})


class Counting(L.Layer):
    """Counts its calls in variables that Keras does not know."""

    def __init__(self):
        super().__init__()
        self.calls = tf.Variable(3)
        self.more = {"list": [tf.Variable(4)], "module": tf.Module()}
        self.more["module"].calls = tf.Variable(5)

    def call(self, x):
        for variable in self.variables_unknown():
            variable.assign_add(1)
        return x

    def variables_unknown(self):
        return [self.calls, self.more["list"][0], self.more["module"].calls]


def test_variables_that_keras_does_not_know_are_left_as_they_were_too():
    counting, conv = Counting(), L.Conv2D(2, 3)
    model = keras.Sequential([keras.Input((None, None, 3)), keras.Sequential([counting]), conv])
    counting(tf.zeros((1, 4, 4, 3)))
    before = [variable.numpy() for variable in counting.variables_unknown()]
    assert before > [3, 4, 5]
    make(model, conv, reference=np.zeros((1, 64, 64, 3)))
    assert [variable.numpy() for variable in counting.variables_unknown()] == before


def attributes(model):
    return [{name: id(value) for name, value in vars(layer).items()} for _, layer in layer_tree(model)]


def test_threads_may_make_patterns_of_one_model_together():
    """Each of another layer; twice, since what they might disturb is short."""
    names = ["a", "b", "c", "d"]

    def build():
        keras.utils.set_random_seed(1)
        blocks = [
            [L.Conv2D(3, 3, padding="same", activation="relu", name=one), L.BatchNormalization()] for one in names
        ]
        return keras.Sequential([keras.Input((SIDE, SIDE, 3)), *itertools.chain(*blocks)])

    def images(model, name):
        return make(model, name, 2).images

    model = build()
    expected = [images(model, name) for name in names]
    for _ in range(2):
        model = build()
        model(tf.zeros((1, SIDE, SIDE, 3)))  # whose first call sets some more attributes
        before = attributes(model)
        with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
            found = list(pool.map(images, itertools.repeat(model), names))
        np.testing.assert_array_equal(found, expected)
        assert attributes(model) == before
