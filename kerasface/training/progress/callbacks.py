"""What watches a training step: the display, the signals that stop it, and the alarm for a loss that is no number."""

import math
import os
import signal
import threading
import time

import keras
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from kerasface.errors import KerasfaceError

__all__ = ["FiniteLoss", "PeriodicCheckpoint", "ProgressDisplay", "StopOnSignal"]

# Where no terminal redraws a bar, one line in so many seconds tells that the run is alive.
_LINE_SECONDS = 60.0


class ProgressDisplay(keras.callbacks.Callback):
    """A bar with loss, learning rate, λ, images/s, the share of time spent waiting for input, and the time left.

    It also keeps count: `step` of the whole run, and `loss`, the mean since the running `fit` began.

    Args:
        console: `rich.console.Console` to draw on.
        batch_size: B.
        first_step: steps of this run done before this process.
        last_step: steps of the whole run.
        waited: function to the seconds that steps have waited for input, or None where nobody knows.
    """

    def __init__(self, console, *, batch_size, first_step, last_step, waited=None):
        super().__init__()
        self.waited = waited
        self.batch_size = batch_size
        self.first_step = self.step = self._begin = first_step
        self.loss = math.nan
        self.last_step = last_step
        self.console = console
        self.bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(), console=console, disable=not console.is_terminal, transient=True,
        )  # fmt: skip
        self._started = self._said = self._traced = None
        self._paused = 0.0

    def on_train_begin(self, logs=None):
        """Starts the clock and the bar once; every epoch is a `fit` of its own."""
        if self._started is None:
            self._started = self._said = time.monotonic()
            self.task = self.bar.add_task("training", total=self.last_step, completed=self.step, figures="")
        self.bar.start()

    def on_epoch_begin(self, epoch, logs=None):
        """Remembers what the steps of this epoch come after."""
        self._begin = self.step

    def on_train_end(self, logs=None):
        """Clears the bar, so that the epoch's line can be printed."""
        self.bar.stop()

    def on_train_batch_end(self, batch, logs=None):
        """Counts the steps and redraws."""
        # Of an execution of several steps Keras names the last that would fit, also where the epoch ends before it.
        self.step = self._begin + min(batch + 1, self.params["steps"] or batch + 1)
        self.loss = logs["loss"]
        figures = self.figures(logs)
        self.bar.update(self.task, completed=self.step, figures=figures)
        now = time.monotonic()
        if self._traced is None:
            self._traced = self.step, self._seconds
        if not self.console.is_terminal and now - self._said >= _LINE_SECONDS:
            self._said = now
            self.console.print(f"step {self.step}/{self.last_step}  {figures}{self._left()}")

    @property
    def images_per_second(self):
        """Of this process, validation left out."""
        steps = self.step - self.first_step
        return steps * self.batch_size / self._seconds if self._seconds > 0 else 0.0

    @property
    def data_wait_share(self):
        """Share of this process' time that steps waited for input, validation left out; None where nobody knows."""
        if self.waited is None:
            return None
        return min(self.waited() / self._seconds, 1.0) if self._seconds > 0 else 0.0

    def pause(self, seconds):
        """Leaves `seconds` of other work out of the images/s."""
        self._paused += seconds

    def values(self, logs):
        """Returns the figures by name, the loss from `logs`; λ and the share of waiting may be missing."""
        head = self.model.head
        values = {"loss": float(logs["loss"]), "learning_rate": _number(self.model.optimizer.learning_rate)}
        if getattr(head, "annealing", None) is not None:
            values["lambda"] = _number(head.annealing_lambda)
        values["images_per_second"] = self.images_per_second
        if self.data_wait_share is not None:
            values["data_wait_share"] = self.data_wait_share
        return values

    def figures(self, logs):
        """Returns the line of figures, the loss from `logs`."""
        return "  ".join(_FIGURES[name](value) for name, value in self.values(logs).items())

    def _left(self):
        """The time left by the steps behind the first one, in which TensorFlow traces for many steps' time."""
        step, seconds = self._traced
        if self.step == step:
            return ""
        left = (self.last_step - self.step) * (self._seconds - seconds) / (self.step - step)
        return f"  ETA {left / 60:.0f} min"

    @property
    def _seconds(self):
        return time.monotonic() - self._started - self._paused if self._started else 0.0


_FIGURES = {
    "loss": "loss {:.3f}".format,
    "learning_rate": "lr {:.2g}".format,
    "lambda": "λ {:.1f}".format,
    "images_per_second": "{:.1f} images/s".format,
    "data_wait_share": "data wait {:.0%}".format,
}


def _number(variable):
    return float(keras.ops.convert_to_numpy(variable))


class StopOnSignal(keras.callbacks.Callback):
    """Ctrl-C or SIGTERM once: the running step is finished, then `fit` returns. Twice: at once.

    Use it as a context manager around `fit`; the old handlers come back after it. Outside the main thread it does
    nothing, since Python delivers signals there only.

    Args:
        agreed: function of what this process wishes to what all processes of the run do: they must stop at the same
            step. By default a process is alone.
    """

    def __init__(self, agreed=bool):
        super().__init__()
        self.agreed = agreed
        self._caught = None

    def __enter__(self):
        main = threading.current_thread() is threading.main_thread()
        self._old = {number: signal.signal(number, self._on_signal) for number in _SIGNALS} if main else {}
        return self

    def __exit__(self, *error):
        for number, handler in self._old.items():
            signal.signal(number, handler)

    def on_train_batch_end(self, batch, logs=None):
        """Ends `fit` after this step."""
        if self.asked():
            self.model.stop_training = True

    def asked(self):
        """True when a signal came, to any process of the run."""
        return self.agreed(self._caught)

    def _on_signal(self, number, frame):
        if self._caught:
            raise KeyboardInterrupt
        self._caught = number
        # Whoever hears nothing presses again, and loses the checkpoint. Not print: a signal may come amid a line of it.
        os.write(2, b"\nstopping after this step, with a checkpoint; a second signal stops at once, without one\n")


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class PeriodicCheckpoint(keras.callbacks.Callback):
    """Calls `write()` when so many minutes have passed since it was last called.

    Args:
        minutes: between two calls.
        write: function without arguments.
    """

    def __init__(self, minutes, write):
        super().__init__()
        self.seconds = minutes * 60.0
        self.write = write
        self._last = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        """Writes when it is time."""
        if time.monotonic() - self._last >= self.seconds:
            self.write()
            self._last = time.monotonic()


class FiniteLoss(keras.callbacks.Callback):
    """Stops a run whose loss is NaN or infinite, before a checkpoint keeps the damage.

    Args:
        alarm: function of the loss and of the first and the last step of this epoch, from 0, that may have spoilt it:
            one step, or those of an execution. It raises what stops the run; by default a `KerasfaceError`.
    """

    def __init__(self, alarm=None):
        super().__init__()
        self.alarm = alarm or _stop

    def on_train_batch_begin(self, batch, logs=None):
        """Remembers where the execution begins."""
        self._first = batch

    def on_train_batch_end(self, batch, logs=None):
        """Looks at the epoch's running mean, which one bad step spoils."""
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            self.alarm(loss, self._first, min(batch, (self.params["steps"] or batch + 1) - 1))


def _stop(loss, first, last):
    raise KerasfaceError(f"the loss became {loss} at step {last + 1} of this epoch: lower the learning rate.")
