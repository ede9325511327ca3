import numpy as np
import pytest

from kerasface.plot import training_curve


def test_panels_hold_the_history():
    history = {
        "loss": [9.0, 5.0, 4.0, 3.5],
        "validation_accuracy": [None, 0.8, float("nan"), 0.75],
        "learning_rate": [0.1, 0.1, 0.01, 0.01],
        "something_else": [1],
    }
    loss, accuracy, rate = training_curve(history).axes
    np.testing.assert_array_equal(loss.lines[0].get_xydata(), [[1, 9], [2, 5], [3, 4], [4, 3.5]])
    np.testing.assert_array_equal(accuracy.lines[0].get_xydata(), [[2, 0.8], [4, 0.75]])
    np.testing.assert_array_equal(rate.lines[0].get_ydata(), history["learning_rate"])
    assert (loss.get_ylabel(), accuracy.get_ylabel(), rate.get_ylabel()) == (
        "training loss",
        "validation accuracy",
        "learning rate",
    )
    assert rate.get_xlabel() == "epoch"


def test_the_best_epoch_is_marked():
    accuracy = training_curve({"loss": [3, 2, 1], "validation_accuracy": [0.7, 0.9, 0.8]}).axes[1]
    assert accuracy.get_title(loc="left") == "best: 90.00% after epoch 2"
    np.testing.assert_array_equal(accuracy.lines[1].get_xydata(), [[2, 0.9]])
    auc = training_curve({"loss": [3, 2, 1], "validation_auc": [0.7, 0.8, 0.95]}).axes[1]
    assert (auc.get_ylabel(), auc.get_title(loc="left")) == ("validation AUC", "best: 0.9500 after epoch 3")
    # A run that was begun before this was measured.
    cosine = training_curve({"loss": [3, 2, 1], "teacher_cosine": [None, 0.7, 0.6]}).axes[1]
    assert (cosine.get_ylabel(), cosine.get_title(loc="left")) == (
        "validation cosine to teacher",
        "best: 0.7000 after epoch 2",
    )


def test_the_loss_alone_is_one_panel(tmp_path):
    for history in ({"loss": [3.0]}, {"loss": [3.0], "validation_accuracy": []}):
        drawing = training_curve(history)
        assert len(drawing.axes) == 1
        drawing.savefig(tmp_path / "one.png")


def test_nothing_measured_yet_is_drawn_too(tmp_path):
    training_curve({"loss": [3.0, 2.0], "validation_accuracy": [None, None]}).savefig(tmp_path / "two.png")


@pytest.mark.parametrize("history", [{}, {"validation_accuracy": [0.5]}, {"loss": [1, 2], "learning_rate": [0.1]}])
def test_lists_that_do_not_fit_are_refused(history):
    with pytest.raises(ValueError, match="Received lengths"):
        training_curve(history)


@pytest.mark.filterwarnings("error")
def test_a_rate_that_fell_to_zero_at_once_is_drawn_too(tmp_path):
    drawing = training_curve({"loss": [3.0], "learning_rate": [0.0]})
    drawing.savefig(tmp_path / "three.png")
    assert drawing.axes[1].get_yscale() == "linear"
    assert training_curve({"loss": [3.0, 2.0], "learning_rate": [0.1, 0.0]}).axes[1].get_yscale() == "log"
