"""Five points to an aligned crop: the similarity transform and the templates that embedders are trained on."""

import dataclasses

import numpy as np

from kerasface.edge.geometry import check_image, warp

__all__ = ["TEMPLATES", "Template", "crop", "crops", "similarity_transform"]


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
        source: (P, 2), at least two different points; or (..., P, 2), many such sets at once.
        target: of the same shape, or (P, 2) for all.

    Returns:
        (2, 3) float64 `[[c, -s, x], [s, c, y]]`, or (..., 2, 3).

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
    if source.ndim < 2 or source.shape[-1] != 2 or target.shape not in (source.shape, source.shape[-2:]):
        raise ValueError(
            "source must be (P, 2) or (..., P, 2), target (P, 2) or of source's shape. "
            f"Received: {source.shape} and {target.shape}"
        )
    if not (np.isfinite(source).all() and np.isfinite(target).all()):
        raise ValueError(f"points must be finite. Received: source={source.tolist()}, target={target.tolist()}")
    s, t = source @ (1, 1j), target @ (1, 1j)
    center, aim = s.mean(-1, keepdims=True), t.mean(-1, keepdims=True)
    spread = (np.abs(s - center) ** 2).sum(-1)
    if not (spread > np.finfo(np.float64).eps * np.abs(s).max(-1) ** 2).all():
        raise ValueError(f"source points must not all coincide. Received: source={source.tolist()}")
    a = ((s - center).conj() * (t - aim)).sum(-1) / spread
    b = aim[..., 0] - a * center[..., 0]
    rows = [np.stack([a.real, -a.imag, b.real], -1), np.stack([a.imag, a.real, b.imag], -1)]
    return np.stack(rows, -2)


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
    return crops([image], np.asarray(points)[None], template)[0]


def crops(images, points, template="arcface_112x112"):
    """Cuts one aligned face out of each of several photos, or several out of one that is given several times.

    Args:
        images: N pictures, (H, W, 3) uint8 RGB, of any sizes; an (N, H, W, 3) array is such a sequence.
        points: (N, 5, 2), as `crop` takes them.
        template: a name in `TEMPLATES`.

    Returns:
        (N, height, width, 3) uint8 RGB.

    Raises:
        ValueError: an unknown template, points or pictures of another kind, or not as many of one as of the other.

    Example:
        >>> crops([photo] * len(faces), [face.points for face in faces]).shape
        (3, 112, 112, 3)
    """
    if template not in TEMPLATES:
        raise ValueError(f"template must be one of {', '.join(TEMPLATES)}. Received: template={template!r}")
    points = np.asarray(points, np.float64)
    if points.shape != (len(images), 5, 2):
        raise ValueError(f"points must be ({len(images)}, 5, 2), one set a picture. Received: {points.shape}")
    target = TEMPLATES[template]
    matrices = similarity_transform(points, target.points)
    made = np.empty((len(images), target.height, target.width, 3), np.uint8)
    for number, (image, matrix) in enumerate(zip(images, matrices, strict=True)):
        if not np.linalg.det(matrix[:, :2]) > 0:
            raise ValueError(f"points don't lie as a face's do. Received: points={points[number].tolist()}")
        made[number] = warp(check_image(image), matrix, (target.width, target.height))
    return made
