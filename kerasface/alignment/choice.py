"""Which faces of a photo are kept."""

import numpy as np

from kerasface.edge.detection.detector import largest_first

__all__ = ["POLICIES", "choose"]

POLICIES = ("largest", "central", "all")


def choose(faces, policy, shape):
    """Chooses among the faces of a photo.

    Args:
        faces: list of `kerasface.edge.Face`.
        policy: "largest" box; "central", the box whose middle is nearest to the photo's, as in LFW, where the named
            person stands in the middle and bystanders may be nearer to the camera; "all", largest first.
        shape: of the photo, (height, width, …).

    Returns:
        list of `Face`; empty when there is none.

    Raises:
        ValueError: an unknown policy.

    Example:
        >>> (face,) = choose(detector.detect(photo), "central", photo.shape)
    """
    if policy not in POLICIES:
        raise ValueError(f"policy must be one of {', '.join(POLICIES)}. Received: policy={policy!r}")
    if policy == "central":
        middle = (np.array([shape[1], shape[0]]) - 1) / 2
        return sorted(faces, key=lambda face: np.linalg.norm(face.box.reshape(2, 2).mean(0) - middle))[:1]
    by_size = largest_first(faces)
    return by_size[:1] if policy == "largest" else by_size
