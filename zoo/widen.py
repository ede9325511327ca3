"""Writes a wider network that computes what a narrower one of the zoo does: where the wider one's training begins.

Every channel is copied as often as the new width holds it. What the next layer reads is shared out among the copies at
random, so that their sum is the same and each copy goes on to learn something of its own.

    python zoo/widen.py mobilefacenet.sface_photos 1.0 wide.keras

Reference: Chen, Goodfellow, Shlens, Net2Net: Accelerating Learning via Knowledge Transfer, ICLR 2016, section 2.3.
"""

import sys
from pathlib import Path

import numpy as np
from keras import layers

from kerasface.errors import KerasfaceError
from kerasface.export import embedder_id, load_trained, write_sidecar
from kerasface.model import FaceModel
from kerasface.zoo import get

_SEED = 1


def widen(backbone, width):
    """Returns the same architecture of another width, with weights that give the same embeddings.

    Args:
        backbone: with a `width`, and without layers that mix channels but convolutions.
        width: a whole multiple of the backbone's.

    Raises:
        KerasfaceError: not a multiple in every layer.
    """
    config = backbone.get_config()
    wide = type(backbone).from_config({**config, "width": width})
    rng = np.random.default_rng(_SEED)
    for narrow, layer in zip(backbone.layers, wide.layers, strict=True):
        for old, new in zip(narrow.weights, layer.weights, strict=True):
            mixes = isinstance(layer, layers.Conv2D) and len(new.shape) == 4  # not a bias
            new.assign(_widened(np.asarray(old), tuple(new.shape), mixes, rng))
    return wide


def _widened(values, shape, mixes, rng):
    copies = [wanted // size for wanted, size in zip(shape, values.shape, strict=True)]
    if any(size * count != wanted for size, count, wanted in zip(values.shape, copies, shape, strict=True)):
        raise KerasfaceError(f"expected a whole multiple of the width. Received: {values.shape} to {shape}")
    wide = np.tile(values, copies)
    if mixes and copies[2] > 1:
        # The copies of one input channel share its weight: (copies, inputs, outputs) that add up to one over copies.
        shares = rng.dirichlet(np.ones(copies[2]), (values.shape[2], shape[3]))
        wide *= np.moveaxis(shares, -1, 0).reshape(shape[2:]).astype(wide.dtype)
    return wide


def main():
    """Reads a model, writes the wider one with its spec beside it."""
    if len(sys.argv) != 4:
        raise SystemExit("usage: python zoo/widen.py NAME_OR_KERAS_FILE WIDTH OUT.keras")
    name, width, out = sys.argv[1], float(sys.argv[2]), Path(sys.argv[3])
    model, spec = load_trained(name if Path(name).exists() else get(name, "keras"))
    wide = FaceModel(widen(model.backbone, width), mean=model.mean, std=model.std, color_order=model.color_order)
    wide.save(out)
    write_sidecar(out, spec.replace(embedder_id=embedder_id(wide.backbone, spec), thresholds=()))
    print(f"{out}: {wide.backbone.count_params():,} weights that embed as {model.backbone.count_params():,} do")


if __name__ == "__main__":
    main()
