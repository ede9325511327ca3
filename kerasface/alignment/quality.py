"""What of a face can be measured without recognizing it, and which limit it misses."""

import dataclasses

import numpy as np

from kerasface.alignment.pose import pose_of_points
from kerasface.edge.align import TEMPLATES, similarity_transform
from kerasface.edge.geometry import check_image

__all__ = ["Quality", "measure_quality"]

# Rows of a crop, and columns either side of its middle, that are face on every photo: brows to chin, cheek to cheek.
_ROWS, _COLUMNS = slice(32, 104), 26
# ITU-R BT.601, as Pillow's "L".
_GRAY = np.array([0.299, 0.587, 0.114])


@dataclasses.dataclass(frozen=True)
class Quality:
    """Measurements of one face.

    Args:
        score: the detector's, (0, 1]; 1 where the points came from elsewhere.
        size_px: side of what the 112 pixels of the crop's height show, in pixels of the photo. 56: the crop is
            enlarged twice and holds a quarter of the detail.
        sharpness: variance of the Laplacian over the face in the crop, in squared gray levels. Blur and enlargement
            lower it, noise and JPEG blocks raise it.
        yaw_deg, pitch_deg, roll_deg: see `kerasface.alignment.Pose`.
    """

    score: float
    size_px: float
    sharpness: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float

    def shortcoming(self, settings):
        """Returns the first limit that is missed, in words, or None.

        Args:
            settings: `AlignmentSettings`.
        """
        if self.score < settings.min_score:
            return f"score {self.score:.2f} below {settings.min_score:g}"
        if self.size_px < settings.min_size_px:
            return f"{self.size_px:.0f} pixels high, below {settings.min_size_px:g}"
        if self.sharpness < settings.min_sharpness:
            return f"sharpness {self.sharpness:.0f} below {settings.min_sharpness:g}"
        if abs(self.yaw_deg) > settings.max_yaw_deg:
            return f"yaw {self.yaw_deg:.0f} degrees, beyond {settings.max_yaw_deg:g}"
        if abs(self.pitch_deg) > settings.max_pitch_deg:
            return f"pitch {self.pitch_deg:.0f} degrees, beyond {settings.max_pitch_deg:g}"
        return None


def measure_quality(crop, points, score, template="arcface_112x112"):
    """Measures a face.

    Args:
        crop: (112, 112, 3) or (112, 96, 3) uint8 RGB, as `kerasface.edge.align.crop` cuts it.
        points: (5, 2) pixels of the photo that it was cut from.
        score: the detector's.
        template: the crop's.

    Returns:
        a `Quality`.

    Example:
        >>> measure_quality(crop(photo, face.points), face.points, face.score).size_px
        187.2

    Reference:
        Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy, ICPR 2000 (variance of the Laplacian).
    """
    middle = check_image(crop, "crop").shape[1] // 2
    gray = crop[_ROWS, middle - _COLUMNS : middle + _COLUMNS] @ _GRAY
    laplacian = gray[:-2, 1:-1] + gray[2:, 1:-1] + gray[1:-1, :-2] + gray[1:-1, 2:] - 4 * gray[1:-1, 1:-1]
    target = TEMPLATES[template]
    scale = np.hypot(*similarity_transform(points, target.points)[:, 0])
    pose = pose_of_points(points)
    return Quality(float(score), float(target.height / scale), float(laplacian.var()), **dataclasses.asdict(pose))
