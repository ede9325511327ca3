"""Affine maps between pictures, and the one resampler that detector, mesh and crops share.

Points are (x, y) in pixels and a pixel's *center* has whole coordinates (OpenCV's convention, which MTCNN's points and
the ArcFace templates follow). Pillow and MediaPipe put whole numbers on a pixel's *corner*, half a pixel away.
"""

import numpy as np
from PIL import Image

__all__ = ["check_image", "compose", "invert", "square_view", "transform_points", "warp"]


def check_image(image, name="image"):
    """Returns `image` when it is a picture.

    Args:
        image: (H, W, 3) uint8 RGB.
        name: what the message calls it.

    Raises:
        ValueError: another shape, another dtype, or no pixels.
    """
    shape, dtype = getattr(image, "shape", None), getattr(image, "dtype", None)
    if not isinstance(image, np.ndarray) or dtype != np.uint8 or len(shape) != 3 or shape[2] != 3 or 0 in shape:
        raise ValueError(
            f"{name} must be a uint8 RGB array of shape (H, W, 3), as kerasface.edge.load_image gives. "
            f"Received: {type(image).__name__}, shape={shape}, dtype={dtype}"
        )
    return image


def transform_points(matrix, points):
    """Maps points.

    Args:
        matrix: (2, 3).
        points: (..., 2).

    Returns:
        (..., 2) float64.
    """
    matrix = np.asarray(matrix, np.float64)
    return np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]


def invert(matrix):
    """Returns the (2, 3) map that undoes `matrix` (2, 3)."""
    linear = np.linalg.inv(np.asarray(matrix, np.float64)[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]])


def compose(second, first):
    """Returns the (2, 3) map that does `first`, then `second`."""
    return np.column_stack([second[:, :2] @ first[:, :2], transform_points(second, first[:, 2])])


def square_view(center, side, angle, size):
    """Returns the map from a picture to a square view of it: a rotated square of the picture fills the view.

    Args:
        center: (x, y) of the square, pixels of the picture.
        side: of the square, in pixels of the picture.
        angle: radians by which the square is turned, from x towards y (clockwise to the eye).
        size: of the view, in its own pixels.

    Returns:
        (2, 3) float64, picture to view.
    """
    scale, cosine, sine = size / side, np.cos(angle), np.sin(angle)
    linear = scale * np.array([[cosine, sine], [-sine, cosine]])
    return np.column_stack([linear, (size - 1) / 2 - linear @ np.asarray(center, np.float64)])


def warp(image, matrix, size):
    """Resamples a picture through a similarity: bilinear, with antialiasing where it shrinks.

    Whole-number shrinking is done first by averaging blocks of the region that is needed (a 12-megapixel photo is
    never resampled whole); what remains, less than 2, by averaging 2×2 bilinear samples per pixel. Outside the picture
    it is black.

    Args:
        image: (H, W, 3) uint8.
        matrix: (2, 3), pixels of `image` to pixels of the result; a similarity (turn, scale, mirror, shift).
        size: (width, height) of the result.

    Returns:
        (height, width, 3) uint8.
    """
    width, height = size
    back = invert(matrix)
    shrink = np.sqrt(abs(np.linalg.det(back[:, :2])))
    # A determinant of 16 may come out as 15.999999999999998, and its root is 4 all the same.
    block = max(1, int(shrink * (1 + 1e-9)))
    corners = [(-0.5, -0.5), (width - 0.5, -0.5), (-0.5, height - 0.5), (width - 0.5, height - 0.5)]
    needed = transform_points(back, corners)
    margin = 2 * block  # one block for the bilinear neighbor, one for the rounding to whole blocks
    limit = (image.shape[1], image.shape[0])
    left, top = np.clip(np.floor(needed.min(0)).astype(int) - margin, 0, limit)
    right, bottom = np.clip(np.ceil(needed.max(0)).astype(int) + margin, 0, limit)
    if left >= right or top >= bottom:
        return np.zeros((height, width, 3), np.uint8)
    region = Image.fromarray(np.ascontiguousarray(image[top:bottom, left:right]))
    if block > 1:
        region = region.reduce(block)
    # A crop that lies on the template is copied: its transform is the identity but for rounding.
    samples = 2 if shrink > block * (1 + 1e-9) else 1
    # Pillow asks for the way back, from the corner-based result to the corner-based region.
    to_result = np.array([[1 / samples, 0, -0.5], [0, 1 / samples, -0.5]])
    to_region = np.array([[1 / block, 0, (0.5 - left) / block], [0, 1 / block, (0.5 - top) / block]])
    # Rounded, since Pillow cuts off what it interpolates: a turn of 1e-17 would make one pixel in twenty darker by one.
    data = np.round(compose(to_region, compose(back, to_result)), 12).ravel()
    result = region.transform(
        (width * samples, height * samples), Image.Transform.AFFINE, tuple(data), Image.Resampling.BILINEAR
    )
    return np.array(result.reduce(samples) if samples > 1 else result)
