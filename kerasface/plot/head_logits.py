"""A head's logits over angles, asked of the head itself."""

import numpy as np

__all__ = ["logits_over_angles", "margin_values"]


def logits_over_angles(head, target_degrees, other_degrees=(), *, norm=1.0, other_length=1.0):
    """Logits of one embedding whose angles to its own prototype and to others are given.

    The embedding lies along the first axis and the prototypes are turned away from it, so that whatever the head does
    (margins, norms, thresholds on hard negatives) is in the answer. State does not advance.

    Args:
        head: `MarginHead`; it is built for two dimensions here if it isn't built.
        target_degrees: (T,) angles θ_y in degrees, [0, 180].
        other_degrees: (O,) angles θ_j of other classes in degrees.
        norm: ‖x‖, the embedding's length.
        other_length: length of the other classes' prototypes; the target's is 1. Only softmax heads see it.

    Returns:
        `(target, others)`: (T,) float32, the target's logit at each θ_y; (T, O) float32, the others' beside it.

    Example:
        >>> target, _ = logits_over_angles(heads.ArcFace(10, scale=1.0), [0, 30, 60])
    """
    from keras import ops

    _built(head)
    count = len(target_degrees)
    lengths = np.repeat([1.0, other_length], [count, len(other_degrees)])
    weights = _rows(head, np.concatenate([target_degrees, other_degrees]), lengths)
    embeddings = ops.convert_to_tensor(np.tile(np.array([[norm, 0.0]], "float32"), (count, 1)))
    logits = ops.convert_to_numpy(head.logits_among(embeddings, weights, ops.arange(count, dtype="int32"), False))
    return np.diagonal(logits).copy(), logits[:, count:]


def margin_values(head, degrees, *, norm=1.0):
    """What the head makes of the target's cosine, before its magnitude: `head.adjust_target` over the angle.

    It is cos θ for a head without a margin, ψ(θ) for A-Softmax, cos(θ + m) for ArcFace.

    Args:
        head, norm: see `logits_over_angles`.
        degrees: (T,) angles θ_y in degrees.

    Returns:
        (T,) float32.

    Example:
        >>> margin_values(heads.CosFace(10, margin=0.35), [0.0])
        array([0.65], dtype=float32)
    """
    from keras import ops

    _built(head)
    cosines = np.cos(np.radians(degrees)).astype("float32")
    norms = np.full_like(cosines, norm)
    return ops.convert_to_numpy(head.adjust_target(ops.convert_to_tensor(cosines), ops.convert_to_tensor(norms)))


def _built(head):
    if not head.built:
        head.build((None, 2))


def _rows(head, degrees, lengths):
    """The head's class weights with one row an angle; biases are zero."""
    from keras import ops

    angles = np.radians(degrees)
    prototypes = (lengths * [np.cos(angles), np.sin(angles)]).T.astype("float32")
    if head.centers > 1:
        prototypes = np.repeat(prototypes[:, None], head.centers, axis=1)
    others = [ops.zeros((len(angles), *weight.shape[1:])) for weight in head.class_weights[1:]]
    return [ops.convert_to_tensor(prototypes), *others]
