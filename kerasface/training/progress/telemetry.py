"""Telemetry: a run's figures step by step for TensorBoard."""

import keras

from kerasface.training.progress.event_log import EventLog
from kerasface.training.progress.projector import tiled, write_projector

__all__ = ["Telemetry"]


class Telemetry(keras.callbacks.Callback):
    """Writes what the display shows after every step, and what validation found after every epoch.

    A run that is resumed does some steps again; they have the same numbers and are written twice.

    Args:
        folder: for TensorBoard. It holds pictures of faces and, in the projector, names of people: keep it as the
            photos are kept.
        display: `ProgressDisplay`, called before this.
    """

    def __init__(self, folder, display):
        super().__init__()
        self.folder = folder
        self.display = display
        self.log = EventLog(folder)

    def on_train_batch_end(self, batch, logs=None):
        """Writes the step's figures."""
        values = self.display.values(logs)
        self.log.scalars(self.display.step, {f"train/{name}": value for name, value in values.items()})

    def epoch(self, line):
        """Writes the figures of an epoch, a line of the run's log."""
        values = {
            name.replace("held_out_", "held_out/"): value
            for name, value in line.items()
            if name.startswith("held_out_")
        }
        self.log.scalars(line["step"], {**values, "epoch/loss": line["loss"]})
        self.log.flush()

    def input(self, step, batch):
        """Writes the pictures of a batch of `kerasface.data.batches` as one, as the network gets them."""
        images, _ = batch
        self.log.image(step, "input/augmented", tiled(images.numpy()))
        self.log.flush()

    def close(self, model=None, held_out=None):
        """Ends the log; with a `FaceModel` and the `FaceSource` held out, their embeddings go to the projector."""
        if model is not None:
            write_projector(self.folder, model, held_out)
        self.log.close()
