"""Five points to an aligned crop: the similarity transform and the templates that embedders are trained on."""

import dataclasses

import numpy as np

from kerasface.edge.geometry import check_image, warp

__all__ = ["TEMPLATES", "Template", "crop", "similarity_transform"]


@dataclasses.dataclass(frozen=True)
class Template:
    """Where the five points lie in a crop.

    Args:
        points: five (x, y) pixels: image-left eye, image-right eye, nose, image-left and image-right mouth corner.
        width, height: of the crop, pixels.
    """

    points: tuple[tuple[float, float], ...]
    width: int
    height: int


_ARCFACE = ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041))

# insightface's template for 112×112; SphereFace's 96 wide × 112 high is the same, 8 pixels farther left.
TEMPLATES = {
    "arcface_112x112": Template(_ARCFACE, width=112, height=112),
    "arcface_112x96": Template(tuple((x - 8, y) for x, y in _ARCFACE), width=96, height=112),
}


def similarity_transform(source, target):
    """Finds the turn, scale and shift that bring points onto others with the least squared error.

    With points as complex numbers, `t ≈ a·s + b`: `a = Σ conj(s - s̄)(t - t̄) / Σ|s - s̄|²`, `b = t̄ - a·s̄`. In the plane
    this is Umeyama's solution without reflection (his S = diag(1, ±1)), without a decomposition.

    Args:
        source: (P, 2), at least two different points.
        target: (P, 2).

    Returns:
        (2, 3) float64 `[[c, -s, x], [s, c, y]]`.

    Raises:
        ValueError: shapes that don't fit, numbers that aren't finite, or source points that all coincide.

    Example:
        >>> similarity_transform([(0, 0), (1, 0)], [(5, 5), (5, 7)])
        array([[ 0., -2.,  5.],
               [ 2.,  0.,  5.]])

    Reference:
        Umeyama, Least-squares estimation of transformation parameters between two point patterns, TPAMI 1991,
        eq. 40–42.
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    if source.shape != target.shape or source.ndim != 2 or source.shape[1] != 2:
        raise ValueError(f"source and target must both be (P, 2). Received: {source.shape} and {target.shape}")
    if not (np.isfinite(source).all() and np.isfinite(target).all()):
        raise ValueError(f"points must be finite. Received: source={source.tolist()}, target={target.tolist()}")
    s, t = source @ (1, 1j), target @ (1, 1j)
    centered = s - s.mean()
    spread = np.vdot(centered, centered).real
    if not spread > np.finfo(np.float64).eps * np.abs(s).max() ** 2:
        raise ValueError(f"source points must not all coincide. Received: source={source.tolist()}")
    a = np.vdot(centered, t - t.mean()) / spread
    b = t.mean() - a * s.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def crop(image, points, template="arcface_112x112"):
    """Cuts an aligned face out of a photo: bilinear, antialiased where it shrinks, black outside the photo.

    Args:
        image: (H, W, 3) uint8 RGB.
        points: (5, 2) pixels of the image, a pixel's center at whole numbers: image-left eye, image-right eye, nose,
            image-left and image-right mouth corner (`Face.points`).
        template: a name in `TEMPLATES`.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        ValueError: an unknown template, or points or a picture of another kind.

    Example:
        >>> crop(photo, face.points).shape
        (112, 112, 3)
    """
    if template not in TEMPLATES:
        raise ValueError(f"template must be one of {', '.join(TEMPLATES)}. Received: template={template!r}")
    target = TEMPLATES[template]
    matrix = similarity_transform(points, target.points)
    if not np.linalg.det(matrix[:, :2]) > 0:
        raise ValueError(f"points don't lie as a face's do. Received: points={np.asarray(points).tolist()}")
    return warp(check_image(image), matrix, (target.width, target.height))
