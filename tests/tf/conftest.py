"""Two virtual devices, for distribution strategies, and interrupts that are heard."""

import signal

import pytest
import tensorflow as tf

# They can only be made before TensorFlow starts to work.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)


@pytest.fixture(autouse=True)
def interruptible():
    """Lets an interrupt raise KeyboardInterrupt; a process in the background of a shell would ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
