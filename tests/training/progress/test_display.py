"""The line a minute that a run writes where no terminal redraws a bar."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from kerasface.training.progress import callbacks
from kerasface.training.progress.callbacks import ProgressDisplay


@pytest.fixture
def clock(monkeypatch):
    """Seconds that the test sets; the display reads no other clock."""
    clock = SimpleNamespace(now=1.0)
    monkeypatch.setattr(callbacks, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def test_the_time_left_is_that_of_steps_without_the_tracing_of_the_first(clock):
    text = io.StringIO()
    display = ProgressDisplay(Console(file=text, width=200), batch_size=8, first_step=0, last_step=400)
    display.set_model(SimpleNamespace(head=None, optimizer=SimpleNamespace(learning_rate=0.1)))
    display.set_params({"steps": 400})
    display.on_train_begin()
    display.on_epoch_begin(0)
    clock.now = 601.0  # TensorFlow traces, then one step in no time
    display.on_train_batch_end(0, {"loss": 1.0})
    for step in range(1, 100):
        clock.now += 1.0
        display.on_train_batch_end(step, {"loss": 1.0})
    first, second = text.getvalue().splitlines()
    assert first.startswith("step 1/400")
    assert "ETA" not in first
    assert second.startswith("step 61/400")
    assert second.endswith("ETA 6 min")  # 339 steps of a second
