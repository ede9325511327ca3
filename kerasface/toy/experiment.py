"""One toy training: a setting and a seed to features that can be drawn and measured."""

import dataclasses
from collections.abc import Mapping

import keras
import numpy as np
from keras import ops

from kerasface import FaceModel, heads
from kerasface.toy.network import toy_network

__all__ = ["Setting", "ToyRun", "train_toy"]

_BATCH = 128
_BLOCK = 1000  # images embedded at once
_LEARNING_RATE = 3e-3  # of Adam, down to 0 along a cosine
_MEAN = _STD = 127.5
# λ falls from 1000 to almost 0 as in the L-Softmax authors' MNIST example (gamma 0.000025, power 35, 20,000
# iterations, λ_min 0), whose gamma is stretched here to however few iterations there are.
_ANNEALING_REACH = 0.000025 * 20_000
_ANNEALING_POWER = 35.0


@dataclasses.dataclass(frozen=True)
class Setting:
    """What is trained.

    Args:
        name: for captions and tables.
        head: name in `heads`.
        arguments: of the head, without `num_classes`.
        embedding_dim: 2 or 3.
        annealed: give the head (A-Softmax, L-Softmax) an `Annealing` that ends with the training.
        last_relu: see `toy_network`.
        bias: False keeps a Softmax head's bias at zero.

    Example:
        >>> train_toy(Setting("CosFace", "cosface", {"scale": 8.0}), load_digits())
    """

    name: str
    head: str
    arguments: Mapping = dataclasses.field(default_factory=dict)
    embedding_dim: int = 2
    annealed: bool = False
    last_relu: bool = False
    bias: bool = True


@dataclasses.dataclass(frozen=True, eq=False)
class ToyRun:
    """What came out.

    Args:
        setting: what was trained.
        train_features: (N, D) float32 embeddings of the training images, not normalised.
        test_features: (M, D) float32, of the test images.
        prototypes: (C, D) float32, as trained, not normalised.
        losses: mean loss of each epoch, in nats.
        train_accuracy, test_accuracy: share of images whose largest logit (without margin) is their class's.
    """

    setting: Setting
    train_features: np.ndarray
    test_features: np.ndarray
    prototypes: np.ndarray
    losses: tuple[float, ...]
    train_accuracy: float
    test_accuracy: float


def train_toy(setting, digits, *, seed=0, epochs=8) -> ToyRun:
    """Trains a small network with a real head through `FaceModel.fit`; the same seed gives the same features.

    Args:
        setting: `Setting`.
        digits: `Digits`.
        seed: of weights and shuffling.
        epochs: over the training images, in batches of 128.

    Returns:
        `ToyRun`.

    Example:
        >>> run = train_toy(Setting("ArcFace", "arcface", {"scale": 8.0}), load_digits())
        >>> angular_spread(run.test_features, digits.test_labels)
    """
    keras.utils.set_random_seed(seed)
    steps = epochs * -(-len(digits.train_labels) // _BATCH)
    head = _head(setting, len(digits.names), steps)
    model = FaceModel(toy_network(setting.embedding_dim, last_relu=setting.last_relu), head, mean=_MEAN, std=_STD)
    if not setting.bias:
        head.bias.trainable = False
    schedule = keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, steps)
    # So few steps don't pay for compiling them with XLA.
    model.compile(optimizer=keras.optimizers.Adam(schedule), jit_compile=False)
    history = model.fit(digits.train_images, digits.train_labels, batch_size=_BATCH, epochs=epochs, verbose=0)
    train, test = (_features(model, images) for images in (digits.train_images, digits.test_images))
    return ToyRun(
        setting=setting,
        train_features=train,
        test_features=test,
        prototypes=_main_prototypes(head),
        losses=tuple(float(loss) for loss in history.history["loss"]),
        train_accuracy=_accuracy(head, train, digits.train_labels),
        test_accuracy=_accuracy(head, test, digits.test_labels),
    )


def _features(model, images):
    # Not `predict`, which traces anew for every model: of several in a row TensorFlow warns, in the midst of figures.
    blocks = (model(images[start : start + _BLOCK], training=False) for start in range(0, len(images), _BLOCK))
    return np.concatenate([ops.convert_to_numpy(block) for block in blocks])


def _head(setting, num_classes, steps):
    arguments = dict(setting.arguments)
    if setting.annealed:
        arguments["annealing"] = heads.Annealing(
            base=1000.0, gamma=_ANNEALING_REACH / steps, power=_ANNEALING_POWER, minimum=0.0
        )
    return heads.get(setting.head, num_classes=num_classes, **arguments)


def _main_prototypes(head):
    """(C, D); of several sub-centres a class, the first."""
    prototypes = ops.convert_to_numpy(head.prototypes)
    return prototypes if prototypes.ndim == 2 else prototypes[:, 0]


def _accuracy(head, features, labels):
    logits = ops.convert_to_numpy(head(features))
    return float((logits.argmax(axis=1) == labels).mean())
