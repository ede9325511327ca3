"""Trees of photos to aligned sets: jobs, logs, quality, points from elsewhere. No TensorFlow unless it packs."""

from kerasface.lazy import lazy

_HOMES = {
    "Aligned": "aligner",
    "AlignedFace": "record",
    "Aligner": "aligner",
    "AlignmentReport": "report",
    "AlignmentSettings": "settings",
    "PhotoJob": "jobs",
    "PhotoRecord": "record",
    "Pose": "pose",
    "Quality": "quality",
    "align_packed": "packing",
    "align_tree": "tree",
    "choose": "choice",
    "contact_sheet": "sheet",
    "measure_quality": "quality",
    "pose_of_points": "pose",
    "read_log": "log",
    "read_points": "points",
}

__all__ = [
    "Aligned",
    "AlignedFace",
    "Aligner",
    "AlignmentReport",
    "AlignmentSettings",
    "PhotoJob",
    "PhotoRecord",
    "Pose",
    "Quality",
    "align_packed",
    "align_tree",
    "choose",
    "contact_sheet",
    "measure_quality",
    "pose_of_points",
    "read_log",
    "read_points",
]


# Lazy: a tree is aligned with what a device has; packing, the sheet and Beam bring their own packages.
__getattr__, __dir__ = lazy(__name__, _HOMES)
