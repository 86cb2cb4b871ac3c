"""Two trainings of a small network on scikit-learn's handwritten digits, with different settings."""

from __future__ import annotations

import pathlib

import keras
import sklearn.datasets
import tqdm

import tb_filterviz as filterviz

EPOCHS = 20
SETTINGS = {
    "adam": lambda: keras.optimizers.Adam(2e-3),
    "sgd": lambda: keras.optimizers.SGD(5e-2, momentum=0.9),
}


def train(logdir: pathlib.Path) -> None:
    """Trains with each setting, logging kernels each epoch and patterns now and then."""
    pictures, labels = sklearn.datasets.load_digits(return_X_y=True)
    pictures = pictures.reshape(-1, 8, 8, 1) / 16.0
    for name, optimizer in SETTINGS.items():
        keras.utils.set_random_seed(1)
        model = _network()
        model.compile(optimizer(), "sparse_categorical_crossentropy", metrics=["accuracy"])
        run = logdir / f"digits-{name}"
        with tqdm.tqdm(total=EPOCHS, desc=f"digits-{name}: training", unit="epoch") as bar:
            callbacks = [
                keras.callbacks.TensorBoard(run),
                filterviz.FiltersCallback(
                    run, kernel_freq=1, pattern_freq=10, patterns=filterviz.PatternOptions(filters=16, progress=False)
                ),
                keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs, bar=bar: bar.update()),
            ]
            model.fit(
                pictures,
                labels,
                epochs=EPOCHS,
                batch_size=64,
                validation_split=0.2,
                verbose=0,
                callbacks=callbacks,
            )


def _network() -> keras.Model:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu", name="conv1"),
            layers.Conv2D(32, 3, padding="same", activation="relu", name="conv2"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, padding="same", activation="relu", name="conv3"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, activation="softmax", name="classes"),
        ],
        name="digits",
    )
