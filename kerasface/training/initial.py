"""The weights that a run begins with: those of an earlier model's backbone."""

from kerasface.errors import KerasfaceError
from kerasface.export import load_trained

__all__ = ["begin_with"]


def begin_with(model, path):
    """Gives a model's backbone the weights of an earlier one.

    Args:
        model: `FaceModel`, built.
        path: `best.keras` of an earlier run, with its spec beside it.

    Raises:
        KerasfaceError: no such model, another architecture, or another preprocessing, with which its weights mean
            nothing.
    """
    earlier, _ = load_trained(path)
    theirs, ours = ([tuple(weight.shape) for weight in one.backbone.weights] for one in (earlier, model))
    if theirs != ours:
        raise KerasfaceError(
            f"initial must hold the recipe's own backbone, {model.backbone.name} of {_size(model)}. Received: {path} "
            f"with {earlier.backbone.name} of {_size(earlier)}. Give backbone the arguments it was trained with."
        )
    theirs, ours = ((one.mean, one.std, one.color_order) for one in (earlier, model))
    if theirs != ours:
        raise KerasfaceError(
            f"initial was trained with mean {theirs[0]}, std {theirs[1]} and {theirs[2].upper()}. Received: mean "
            f"{ours[0]}, std {ours[1]} and {ours[2].upper()}. Set the recipe's mean and std to its own, or leave "
            "backbone out: it then comes from initial, preprocessing included."
        )
    for weight, value in zip(model.backbone.weights, earlier.backbone.weights, strict=True):
        weight.assign(value.numpy())


def _size(model):
    return f"{model.backbone.count_params():,} weights over {model.backbone.input_shape[1:]}"
