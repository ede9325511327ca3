"""MarginHead: prototypes, normalisation and cross-entropy; a head overrides how the target's cosine is adjusted."""

import keras
from keras import initializers, ops

from kerasface.heads.autodiff import slope
from kerasface.heads.checks import check_labels, check_number, check_rank
from kerasface.heads.fused import log_sum, softmax_loss
from kerasface.heads.geometry import entries, in_range, nan_outside, unit_rows, with_target
from kerasface.heads.replicas import every_replicas

__all__ = ["MarginHead"]


class MarginHead(keras.layers.Layer):
    """Base of all margin heads: one prototype a class, compared by angle.

    With c_j = cos θ_j between the embedding and prototype P_j, y the true class and s the magnitude, the logits are
    `s · adjust_target(c_y)` for the true class and `s · adjust_others(c_j)` for the others; the loss of a sample is
    its softmax cross-entropy. A head overrides one or two of the hooks:

    * `observe(cosine, norm, others_log_sum)`: update of state (λ, moving averages), in training only, before the target
      is adjusted;
    * `adjust_target(cosine, norm)`: (B,) → (B,), the margin;
    * `adjust_others(cosines, target)`: (B, n) → (B, n), entry by entry, the identity for most;
    * `magnitude(norm)`: what cosines are multiplied by: `scale`, or ‖x‖ where that is None;
    * `penalty(norm)`: (B,) → (B,), added to the loss; None for most.

    Everything runs in float32 whatever the global policy is: float16's spacing near cos θ = 1 is 4.9e-4, almost two
    degrees. Values are exact, without epsilons inside; gradients are finite everywhere, θ = 0 and θ = π included.

    Args:
        num_classes: C, the number of training identities.
        scale: s, radius of the hypersphere; None where the head keeps the embedding's own length.
        initializer: of the prototypes; N(0, 0.01) as in the authors' ArcFace code. Only directions matter to a
            normalised head, but short prototypes turn faster under SGD.
        detach_margin: False: the true gradient of the loss that is reported, as the papers' equations have it. True:
            the margin's shift counts as a constant (d logit / d c_y = s), as arcface_torch and SphereFace-R train;
            recipes that quote their learning rates need it. The true gradient of ArcFace grows like 1 / sin θ as a
            face reaches its prototype; this one does not.
        chunk_size: None: `loss` holds one (B, C) tensor. n: classes are taken n at a time and computed again in the
            backward pass: a third more work, and (B, n) instead of (B, C); 8192 suits a CPU.
        dtype: "float32"; "float64" for checks of gradients.
        name: of the layer.

    Call arguments:
        embeddings: (B, D) float, any norm. A row of zeros counts as orthogonal to every prototype and sends no
            gradient back; a NaN gives NaN.
        labels: (B,) int in [0, C); leave out at inference for plain scaled cosines. Outside that range: a ValueError
            in eager calls, a NaN loss for that row inside a compiled graph.
        training: True lets state advance (`observe`).

    Returns:
        (B, C) float32 logits.

    Raises:
        ValueError: wrong ranks, labels out of range, num_classes < 2.
        TypeError: labels that are not integers.

    Example:
        >>> class MyHead(MarginHead):
        ...     def adjust_target(self, cosine, norm):
        ...         return cosine - 0.2
        >>> MyHead(10, scale=30.0).loss(embeddings, labels).shape
        (8,)

    Reference:
        Deng et al., ArcFace, CVPR 2019, section 2.3, for the one form that holds them all.
    """

    # Prototypes a class; a head with sub-centres sets its own before `build`.
    centers = 1

    def __init__(
        self,
        num_classes,
        *,
        scale=None,
        initializer=None,
        detach_margin=False,
        chunk_size=None,
        dtype="float32",
        name=None,
        **kwargs,
    ):
        super().__init__(dtype=dtype, name=name, **kwargs)
        self.num_classes = int(check_number("num_classes", num_classes, low=2))
        self.scale = None if scale is None else float(check_number("scale", scale, low=1e-6))
        self.initializer = initializers.get(initializer or initializers.RandomNormal(stddev=0.01))
        self.detach_margin = bool(detach_margin)
        self.chunk_size = chunk_size and int(check_number("chunk_size", chunk_size, low=1))
        if self.chunk_size and not self._fuses:
            raise ValueError(f"{type(self).__name__} has no chunked loss. Received: chunk_size={chunk_size}")

    def build(self, embeddings_shape):
        """Creates the prototypes, (C, D); (C, k, D) with k > 1 sub-centres a class."""
        if isinstance(embeddings_shape[0], list | tuple):
            raise ValueError("a head takes two arguments: head(embeddings, labels). Received: a list of tensors")
        if len(embeddings_shape) != 2 or embeddings_shape[-1] is None:
            raise ValueError(f"embeddings must have the shape (B, D). Received: shape={tuple(embeddings_shape)}")
        shape = (self.num_classes, embeddings_shape[-1])
        if self.centers > 1:
            shape = (self.num_classes, self.centers, embeddings_shape[-1])
        self.prototypes = self.add_weight(shape=shape, initializer=self.initializer, name="prototypes")
        self.built = True

    def call(self, embeddings, labels=None, training=False):
        """Logits with the margin when labels are given, plain scaled cosines when not."""
        check_rank("embeddings", embeddings, "(B, D)")
        if labels is not None:
            check_labels(labels, self.num_classes)
        return self.logits_among(embeddings, self.class_weights, labels, training)

    def loss(self, embeddings, labels, training=False):
        """Softmax cross-entropy of each sample.

        Args:
            embeddings: (B, D) float tensor or array.
            labels: (B,) int.
            training: True lets state (λ, moving averages) advance; pass it in a training loop of your own.

        Returns:
            (B,) float32 losses, in nats, not averaged.
        """
        embeddings = ops.convert_to_tensor(embeddings, dtype=self.compute_dtype)
        labels = ops.convert_to_tensor(labels)
        check_rank("embeddings", embeddings, "(B, D)")
        check_labels(labels, self.num_classes)
        if not self.built:
            self.build(embeddings.shape)
        return self.loss_among(embeddings, self.class_weights, labels, training)

    def loss_among(self, embeddings, class_weights, labels, training):
        """Losses over the classes whose rows of `class_weights` are given; labels count those rows."""
        unit, norm = unit_rows(embeddings)
        if self._fuses:
            losses = self._fused_loss(unit, norm, class_weights[0], labels, training)
        else:
            logits = self.logits_among(embeddings, class_weights, labels, training)
            losses = ops.logsumexp(logits, axis=-1) - entries(logits, in_range(labels, logits.shape[-1]))
        penalty = self.penalty(norm)
        return losses if penalty is None else losses + penalty

    def _fused_loss(self, unit, norm, prototypes, labels, training):
        prototypes = ops.convert_to_tensor(prototypes)
        safe_labels = in_range(labels, prototypes.shape[0])
        rows = ops.stop_gradient(ops.take(prototypes, safe_labels, axis=0))
        cosine = ops.clip(_nearest(unit, rows), -1.0, 1.0)
        if training:
            self._observe(
                cosine,
                norm,
                lambda scale: log_sum(scale * unit, prototypes, labels=safe_labels, chunk_size=self.chunk_size),
            )

        def target_of(cosine):
            return self._detached(cosine, self.adjust_target(cosine, norm))

        magnitude = self.magnitude(norm)
        target = target_of(cosine)
        target_slope = slope(target_of, ops.stop_gradient(cosine))
        adjust = None
        if self._changes_others:
            held = ops.stop_gradient(target)

            def adjust(logits):
                return magnitude * self.adjust_others(logits / magnitude, held)

        features = unit * (magnitude[:, None] if len(getattr(magnitude, "shape", ())) else magnitude)
        target = nan_outside(magnitude * target, labels, prototypes.shape[0])
        return softmax_loss(
            features,
            prototypes,
            target,
            ops.stop_gradient(target_slope),
            labels=safe_labels,
            adjust=adjust,
            chunk_size=self.chunk_size,
        )

    @property
    def _fuses(self):
        # A head that writes its logits otherwise gets the cross-entropy of those, not of what the hooks say. And the
        # fused loss doesn't follow the gradient by ‖x‖ of others that are changed and multiplied by it.
        own_logits = type(self).logits_among is not MarginHead.logits_among
        return not own_logits and not (self._changes_others and self.scale is None)

    @property
    def _changes_others(self):
        return type(self).adjust_others is not MarginHead.adjust_others

    def logits_among(self, embeddings, class_weights, labels, training):
        """The steps from embeddings to logits over the given rows; `labels` may be None."""
        prototypes = ops.convert_to_tensor(class_weights[0])
        unit, norm = unit_rows(embeddings)
        cosines = self.cosines(unit, prototypes)
        if labels is None:
            return self._times_magnitude(cosines, norm)
        # Rounding can leave 1.0000001, of which no angle exists; only the target's angle is ever needed.
        cosine = ops.clip(entries(cosines, in_range(labels, prototypes.shape[0])), -1.0, 1.0)
        if training:
            self._observe(cosine, norm, lambda scale: _others_log_sum(cosines, labels, scale))
        target = self._detached(cosine, self.adjust_target(cosine, norm))
        others = self.adjust_others(cosines, target)
        return self._times_magnitude(with_target(others, labels, target), norm)

    @property
    def class_weights(self):
        """The weights that have a row a class, the prototypes first."""
        return [self.prototypes]

    def cosines(self, unit, prototypes):
        """cos θ_j (B, n) of unit embeddings (B, D) with prototypes (n, D), or with the nearest of k each, (n, k, D)."""
        if len(prototypes.shape) == 2:
            return ops.einsum("bd,nd->bn", unit, unit_rows(prototypes)[0])
        num_classes, centers, dim = prototypes.shape
        flat = unit_rows(ops.reshape(prototypes, (num_classes * centers, dim)))[0]
        every = ops.einsum("bd,nd->bn", unit, flat)
        return ops.max(ops.reshape(every, (-1, num_classes, centers)), axis=-1)

    def observe(self, cosine, norm, others_log_sum):
        """Hook: updates state.

        Args:
            cosine: (B,) cos θ_y.
            norm: (B,) ‖x‖.
            others_log_sum: function of a scale s that gives (B,) log Σ_{j≠y} exp(s cos θ_j), without a gradient.

        Under tf.distribute B is the global batch, the same on every replica: state moves as on one device.
        """
        return None  # AutoGraph warns about a body without a statement, in a training loop of the user's own.

    def adjust_target(self, cosine, norm):
        """Hook: the margin; cos θ_y (B,) and ‖x‖ (B,) to the target's value (B,)."""
        return cosine

    def adjust_others(self, cosines, target):
        """Hook: cos θ_j (B, n) and the targets' values (B,) to the others' values (B, n), for any n of the classes.

        Entry by entry; `target` is there to be compared with: no gradient is followed through it. Whatever stands in
        the true class's column is ignored.
        """
        return cosines

    def magnitude(self, norm):
        """Hook: what the values are multiplied by: a scalar, or (B,), such as ‖x‖ in a head without a scale."""
        return norm if self.scale is None else self.scale

    def penalty(self, norm):
        """Hook: what is added to each sample's loss, (B,), or None."""
        return None

    def compute_output_shape(self, embeddings_shape, labels_shape=None):
        """(B, C)."""
        return (embeddings_shape[0], self.num_classes)

    def get_config(self):
        """Returns the arguments that rebuild this head."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "scale": self.scale,
            "initializer": initializers.serialize(self.initializer),
            "detach_margin": self.detach_margin,
            "chunk_size": self.chunk_size,
        }

    def _observe(self, cosine, norm, others_log_sum):
        if type(self).observe is not MarginHead.observe:
            cosine, norm = (every_replicas(ops.stop_gradient(each)) for each in (cosine, norm))
            self.observe(cosine, norm, lambda scale: every_replicas(others_log_sum(scale)))

    def _detached(self, cosine, target):
        return cosine + ops.stop_gradient(target - cosine) if self.detach_margin else target

    def _times_magnitude(self, values, norm):
        magnitude = self.magnitude(norm)
        return values * (magnitude[:, None] if len(getattr(magnitude, "shape", ())) else magnitude)


def _nearest(unit, rows):
    """cos θ (B,) between unit embeddings (B, D) and one prototype each, (B, D), or the nearest of k, (B, k, D)."""
    if len(rows.shape) == 2:
        return ops.sum(unit * unit_rows(rows)[0], axis=-1)
    return ops.max(ops.sum(unit[:, None, :] * unit_rows(rows)[0], axis=-1), axis=-1)


def _others_log_sum(cosines, labels, scale):
    minus_infinity = ops.full(ops.shape(labels), float("-inf"), dtype=cosines.dtype)
    return ops.stop_gradient(ops.logsumexp(with_target(scale * cosines, labels, minus_infinity), axis=-1))
