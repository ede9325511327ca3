"""PartialFC: any head over the batch's own classes and a random sample of the others."""

import math

import keras
from keras import ops

from kerasface.heads.checks import check_labels, check_number, check_rank
from kerasface.heads.replicas import every_replicas, own_part
from kerasface.heads.state import CountedDraws, add_counter

__all__ = ["PartialFC"]


@keras.saving.register_keras_serializable(package="kerasface")
class PartialFC(keras.layers.Layer):
    """A head whose loss is taken over a random part of the classes at each training step.

    Every step draws ⌈rate · C⌉ classes: those of the batch, always, and random others. Logits, loss and gradients
    exist for their rows alone, so that a million classes cost what a hundred thousand do. On the TensorFlow backend the
    gradient is a `tf.IndexedSlices` of those rows, and `CoupledSGD` updates only them, momentum included; Keras' own
    optimizers would turn it into a dense (C, D). JAX and torch add the rows' gradient into a dense one.

    Under tf.distribute every replica draws the same classes, those of the global batch among them, and holds all
    prototypes: replicas exchange labels and the drawn rows' gradients, and a step is the single device's.

    Args:
        head: any `MarginHead`, whose weights and state are used and trained.
        rate: r, the part of the classes that a step sees, (0, 1]; 0.1 in the paper. 1 is the head itself.
        seed: of the draws. They follow from it and from a saved count of steps: a resumed run goes on drawing.
        name: of the layer.

    Call arguments:
        embeddings: (B, D) float.
        labels: (B,) int in [0, C), or None.
        training: `call` and a `loss` without training use all classes.

    Returns:
        (B, C) logits of the head.

    Raises:
        ValueError: rate outside (0, 1]; a (global) batch with more rows than classes are sampled.

    Example:
        >>> head = PartialFC(ArcFace(1_000_000), rate=0.1)
        >>> model = FaceModel(backbone, head)
        >>> model.compile(CoupledSGD(0.1))

    Reference:
        An et al., Killing Two Birds with One Stone: Efficient and Robust Training of Face Recognition CNNs by Partial
        FC, CVPR 2022, section 3.2; sampling without replacement as in the authors' code.
    """

    def __init__(self, head, *, rate=0.1, seed=0, name=None, **kwargs):
        super().__init__(dtype=kwargs.pop("dtype", head.dtype_policy), name=name, **kwargs)
        if not 0 < rate <= 1:
            raise ValueError(f"rate must lie in (0, 1]. Received: rate={rate!r}")
        self.head = head
        self.rate = float(rate)
        self.seed = int(check_number("seed", seed, low=0))
        self.num_classes = head.num_classes
        self.sample_size = math.ceil(self.rate * head.num_classes)

    def build(self, embeddings_shape):
        """Builds the head, and creates the count of training steps that the draws hang on."""
        if not self.head.built:
            self.head.build(embeddings_shape)
        self.iteration = add_counter(self, "iteration")
        self.draws = CountedDraws(self.seed, self.iteration)
        self.built = True

    def call(self, embeddings, labels=None, training=False):
        """The head's logits over all classes."""
        return self.head(embeddings, labels, training=training)

    def loss(self, embeddings, labels, training=False):
        """Loss of each sample, (B,): over the drawn classes in training, over all of them otherwise."""
        if not training or self.rate == 1:
            return self.head.loss(embeddings, labels, training=training)
        embeddings = ops.convert_to_tensor(embeddings, dtype=self.compute_dtype)
        labels = ops.convert_to_tensor(labels)
        check_rank("embeddings", embeddings, "(B, D)")
        check_labels(labels, self.num_classes)
        if not self.built:
            self.build(embeddings.shape)
        self.iteration.assign_add(1)
        classes, place = self.sample(every_replicas(labels))
        rows = [ops.take(weight, classes, axis=0) for weight in self.head.class_weights]
        return self.head.loss_among(embeddings, rows, own_part(place, labels), training)

    def sample(self, labels):
        """The classes of the step that `iteration` counts.

        Args:
            labels: (B,) int.

        Returns:
            `(classes, place)`: (S,) int32, sorted and all different, and the place of each label among them, (B,), −1
            for a label outside [0, C).
        """
        if labels.shape[0] is not None and labels.shape[0] > self.sample_size:
            raise ValueError(
                f"a batch of {labels.shape[0]} can hold more classes than the {self.sample_size} that rate={self.rate} "
                f"of {self.num_classes} draws. Raise rate to {labels.shape[0] / self.num_classes:.2g} or more."
            )
        labels = ops.cast(labels, "int32")
        known = (labels >= 0) & (labels < self.num_classes)
        inside = ops.where(known, labels, ops.zeros_like(labels))
        # Random numbers below 1 decide; the batch's own classes get more than any of them.
        draws = keras.random.uniform((self.num_classes,), dtype="float32", seed=self.draws)
        draws = ops.scatter_update(draws, inside[:, None], ops.full(ops.shape(inside), 2.0, dtype="float32"))
        classes = ops.sort(ops.cast(ops.top_k(draws, self.sample_size, sorted=False)[1], "int32"))
        place = ops.cast(ops.searchsorted(classes, inside), "int32")
        return classes, ops.where(known, place, -ops.ones_like(place))

    def compute_output_shape(self, embeddings_shape, labels_shape=None):
        """(B, C)."""
        return (embeddings_shape[0], self.num_classes)

    def get_config(self):
        """Returns the arguments that rebuild this layer."""
        return {
            **super().get_config(),
            "head": keras.saving.serialize_keras_object(self.head),
            "rate": self.rate,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config):
        """Returns the layer of this config."""
        return cls(**{**config, "head": keras.saving.deserialize_keras_object(config["head"])})
