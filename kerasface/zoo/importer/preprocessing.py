"""Recognises what a source does to its pixels before the first layer, and joins it with what its caller does."""

import dataclasses

import numpy as np

from kerasface.errors import KerasfaceError
from kerasface.zoo.importer.folding import scale_and_shift

__all__ = ["Preprocessing", "recognise"]


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """`(pixel − mean) / std`, for pixels 0…255 in one order of colors.

    Args:
        mean, std: three numbers each, in the order of `color_order`.
        color_order: "rgb" or "bgr".
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    color_order: str = "rgb"

    def __call__(self, images):
        """Prepares pictures.

        Args:
            images: (N, H, W, 3) uint8 RGB.

        Returns:
            (N, H, W, 3) float32.
        """
        if self.color_order == "bgr":
            images = images[..., ::-1]
        return (images.astype(np.float32) - np.float32(self.mean)) / np.float32(self.std)


_AS_THEY_ARE = ((0.0,) * 3, (1.0,) * 3)
# What insightface's PyTorch models take, and its ONNX files that hold no preprocessing.
_ARCFACE = ((127.5,) * 3, (127.5,) * 3)


def recognise(first, *, mean=None, std=None, color_order="rgb"):
    """Joins the steps of a source from its picture to its first layer with what its caller is to do before.

    Args:
        first: the `Node` that the first layer reads, from `match`; None for a source that is no graph.
        mean, std: what the caller of the source does, a number or three in the order of `color_order`. None: nothing
            where the source prepares its pixels itself; 127.5 and 127.5, as insightface's files want, where it doesn't.
        color_order: "rgb" or "bgr", of the pixels that the source is given.

    Returns:
        (`Preprocessing` before the source's input, `Preprocessing` before its first layer).

    Raises:
        KerasfaceError: only one of mean and std, numbers that can't be, or a step that is neither a mean and a scale
            for each channel nor a change of RGB to BGR.
    """
    steps = []
    while first is not None and first.kind != "input":
        if first.kind not in ("normalization", "reverse_channels"):
            raise KerasfaceError(
                f"the source prepares its pixels by {first}, which is neither (x − mean) / std nor RGB to BGR."
            )
        steps.append(first)
        first = first.source
    caller = Preprocessing(*_callers(mean, std, steps), color_order)
    scale, shift, order = 1 / np.array(caller.std), -np.array(caller.mean) / np.array(caller.std), caller.color_order
    for step in reversed(steps):
        if step.kind == "reverse_channels":
            scale, shift, order = scale[::-1], shift[::-1], {"rgb": "bgr", "bgr": "rgb"}[order]
        else:
            step_scale, step_shift = scale_and_shift(step)
            scale, shift = scale * step_scale, shift * step_scale + step_shift
    if not np.all(np.isfinite(shift)) or not np.all(scale > 0):
        raise KerasfaceError(f"the source scales its pixels by {scale}: expected positive numbers.")
    return caller, Preprocessing(_rounded(-shift / scale), _rounded(1 / scale), order)


def _callers(mean, std, steps):
    if (mean is None) != (std is None):
        raise KerasfaceError(f"give both mean and std, or neither. Received: mean={mean}, std={std}")
    if mean is None:
        return _AS_THEY_ARE if any(step.kind == "normalization" for step in steps) else _ARCFACE
    triples = tuple(tuple(np.broadcast_to(np.asarray(value, float), 3).tolist()) for value in (mean, std))
    if not np.all(np.isfinite(triples)) or min(triples[1]) <= 0:
        raise KerasfaceError(f"expected a finite mean and a std above 0. Received: mean={mean}, std={std}")
    return triples


def _rounded(values):
    # Seven digits are float32's: 1 / float32(1 / 127.5) is 127.5 again.
    return tuple(float(f"{value:.7g}") + 0.0 for value in values)
