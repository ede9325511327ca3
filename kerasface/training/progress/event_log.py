"""EventLog: figures and pictures in the files that TensorBoard shows."""

import tensorflow as tf
from tensorflow.core.framework import summary_pb2

__all__ = ["EventLog"]


class EventLog:
    """Writes TensorBoard's event files with TensorFlow alone; only looking at them needs the tensorboard package.

    Args:
        folder: made where it is missing; every process adds a file of its own.

    Example:
        >>> log = EventLog("runs/first/tensorboard")
        >>> log.scalars(10, {"train/loss": 7.3})
        >>> log.close()

    Reference:
        The data formats of TensorBoard's dashboards: of scalars a float; of images width, height and PNG, as texts.
    """

    def __init__(self, folder):
        self._writer = tf.summary.create_file_writer(str(folder))

    def scalars(self, step, values):
        """Adds numbers, a dict by name, at a step."""
        with self._writer.as_default(step):
            for name, value in values.items():
                kind = _metadata("scalars", summary_pb2.DATA_CLASS_SCALAR)
                tf.summary.write(name, tf.constant(value, tf.float32), metadata=kind)

    def image(self, step, name, pixels):
        """Adds a picture, (H, W, 3) uint8, at a step."""
        height, width = pixels.shape[:2]
        content = [str(width), str(height), tf.io.encode_png(pixels)]
        with self._writer.as_default(step):
            tf.summary.write(
                name, tf.stack(content), metadata=_metadata("images", summary_pb2.DATA_CLASS_BLOB_SEQUENCE)
            )

    def flush(self):
        """Brings what was added to the disk."""
        self._writer.flush()

    def close(self):
        """Ends the file."""
        self._writer.close()


def _metadata(plugin, data_class):
    data = summary_pb2.SummaryMetadata.PluginData(plugin_name=plugin)
    return summary_pb2.SummaryMetadata(plugin_data=data, data_class=data_class)
