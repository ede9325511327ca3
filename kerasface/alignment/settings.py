"""What decides which crops come out; the same settings on the same photos give the same bytes."""

import dataclasses
import json

from kerasface.alignment.choice import POLICIES
from kerasface.edge.align import TEMPLATES

__all__ = ["AlignmentSettings"]


@dataclasses.dataclass(frozen=True)
class AlignmentSettings:
    """How photos become crops. The limits are off by default: every measurement is logged, so that they can be chosen.

    Args:
        template: a name in `kerasface.edge.align.TEMPLATES`.
        faces: which faces of a photo are kept: "largest", "central" or "all" (see `choose`).
        min_score: of the detector, (0, 1).
        min_size_px, min_sharpness, max_yaw_deg, max_pitch_deg: limits on `Quality`.
        task_file: MediaPipe FaceLandmarker's `.task` file to find faces with, as text; None uses our own detector.

    Raises:
        ValueError: an unknown template or policy, or a limit outside of its range.

    Example:
        >>> AlignmentSettings(faces="central", min_size_px=40, max_yaw_deg=60)
    """

    template: str = "arcface_112x112"
    faces: str = "largest"
    min_score: float = 0.5
    min_size_px: float = 0.0
    min_sharpness: float = 0.0
    max_yaw_deg: float = 180.0
    max_pitch_deg: float = 90.0
    task_file: str | None = None

    def __post_init__(self):
        for name, known in (("template", tuple(TEMPLATES)), ("faces", POLICIES)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}. Received: {name}={getattr(self, name)!r}")
        if not 0 < self.min_score < 1:
            raise ValueError(f"min_score must lie in (0, 1). Received: min_score={self.min_score}")
        for name in ("min_size_px", "min_sharpness", "max_yaw_deg", "max_pitch_deg"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be at least 0. Received: {name}={getattr(self, name)}")

    def to_json(self):
        """Returns the settings as a JSON text."""
        return json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True)
