"""What is known of a photo after it was aligned: one line of the log."""

import dataclasses
import json
from pathlib import PurePath

from kerasface.alignment.quality import Quality

__all__ = ["STATUSES", "AlignedFace", "PhotoRecord"]

# One face, kept; several, those of the policy kept; no face; faces that miss a limit; no image; anything else.
STATUSES = ("ok", "several", "none", "low_quality", "unreadable", "failed")


@dataclasses.dataclass(frozen=True)
class AlignedFace:
    """A face that the policy chose.

    Args:
        file: of its crop, below the target folder; None where it missed a limit.
        file_bytes: size of that file; 0 without one.
        reason: the limit that it missed, or None.
        box: left, top, right, bottom in pixels of the photo.
        points: five (x, y) in pixels of the photo.
        quality: `Quality`.
    """

    file: str | None
    file_bytes: int
    reason: str | None
    box: tuple[float, ...]
    points: tuple[tuple[float, float], ...]
    quality: Quality


@dataclasses.dataclass(frozen=True)
class PhotoRecord:
    """What became of a photo.

    Args:
        photo: its path below the source folder, with forward slashes.
        status: one of `STATUSES`.
        reason: why there is no crop, or None.
        photo_bytes: size of the photo's file; −1 where it can't be told.
        found: number of faces found.
        faces: those that the policy chose.
    """

    photo: str
    status: str
    reason: str | None
    photo_bytes: int
    found: int = 0
    faces: tuple[AlignedFace, ...] = ()

    @property
    def files(self):
        """Crops of this photo, as `(file, bytes)`."""
        return [(face.file, face.file_bytes) for face in self.faces if face.file is not None]

    def to_json(self):
        """Returns the record as one line of JSON."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, line):
        """Reads what `to_json` wrote.

        Args:
            line: text.

        Raises:
            ValueError: not such a line, or one of a crop outside of the target folder.
        """
        try:
            fields = json.loads(line)
            faces = tuple(map(_face, fields.pop("faces")))
            return cls(**fields, faces=faces)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a line of an alignment log: {type(error).__name__}: {error}") from error


def _face(fields):
    # A log may come with an aligned set from elsewhere, and the crops that it names are read and removed.
    if fields["file"] is not None and (PurePath(fields["file"]).anchor or ".." in PurePath(fields["file"]).parts):
        raise ValueError(f"expected a crop below the target folder. Received: {fields['file']!r}")
    box, points = tuple(fields["box"]), tuple(map(tuple, fields["points"]))
    return AlignedFace(**{**fields, "quality": Quality(**fields["quality"]), "box": box, "points": points})
