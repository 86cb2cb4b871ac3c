"""Two virtual devices, for distribution strategies; they can only be made before TensorFlow starts to work."""

import tensorflow as tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
