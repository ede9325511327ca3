"""From which cosine on two faces count as one person."""

from kerasface.errors import KerasfaceError

__all__ = ["decision_threshold"]


def decision_threshold(spec, given=None):
    """Returns the cosine that decides, the user's or the calibrated one.

    Of several calibrated thresholds the strictest FAR's is taken, since a false accept is the worse mistake.

    Args:
        spec: the embedder's `EmbedderSpec`.
        given: the user's own threshold, in [-1, 1]; None takes the calibrated one.

    Returns:
        float; accept when the cosine is at least this.

    Raises:
        ValueError: `given` is no cosine.
        KerasfaceError: none is given and the spec has none.

    Example:
        >>> same_person = first @ second >= decision_threshold(embedder.spec)
    """
    if given is not None:
        if not -1 <= given <= 1:
            raise ValueError(f"threshold must be a cosine in [-1, 1]. Received: threshold={given}")
        return float(given)
    if not spec.thresholds:
        raise KerasfaceError(
            f"the embedder {spec.name} has no calibrated threshold, so the decision needs one: pass threshold=… "
            "(--threshold on the command line), a cosine chosen on your own genuine and impostor pairs."
        )
    strictest = min(threshold.far for threshold in spec.thresholds)
    return max(threshold.cosine for threshold in spec.thresholds if threshold.far == strictest)
