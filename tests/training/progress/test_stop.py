"""StopOnSignal: the first Ctrl-C is answered, the second obeyed at once."""

import signal

import pytest

from kerasface.training.progress.callbacks import StopOnSignal


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_answered_and_a_second_one_obeyed_at_once(number, capfd):
    with StopOnSignal() as stop:
        assert not stop.asked()
        signal.raise_signal(number)
        assert stop.asked()
        assert "stopping after this step, with a checkpoint" in capfd.readouterr().err
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
