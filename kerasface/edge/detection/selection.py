"""Which face a photo of one person shows, or why that can't be said."""

import numpy as np

from kerasface.errors import KerasfaceError

__all__ = ["the_face"]

# Of half the area, .7 in side. Measured on LFW: where the subject isn't the largest face (2 of 1,583 photos) the two
# differ by less than .05 in side; 63 photos hold two faces within .3.
_SIMILAR_SIDE = 0.7


def the_face(faces, source, *, largest=False, best_score=None, min_score=None):
    """Returns the one face that a photo is about.

    Args:
        faces: list of `Face`, as `FaceDetector.detect` gives it.
        source: what the message calls the photo, its path.
        largest: take the largest face even where another is of similar size.
        best_score, min_score: of the search (`FaceDetector.best_score`, `.min_score`), for the message.

    Returns:
        a `Face`.

    Raises:
        KerasfaceError: no face; or two or more of similar size, without `largest`.

    Example:
        >>> face = the_face(detector.detect(photo), "photo.jpg")
    """
    if not faces:
        raise KerasfaceError(_no_face(source, best_score, min_score))
    sides = [float(np.sqrt(np.prod(face.box[2:] - face.box[:2]))) for face in faces]
    order = np.argsort([-side for side in sides], kind="stable")
    similar = [sides[i] for i in order if sides[i] >= _SIMILAR_SIDE * sides[order[0]]]
    if len(similar) > 1 and not largest:
        raise KerasfaceError(
            f"{len(similar)} faces of similar size in {source} ({', '.join(f'{s:.0f}' for s in similar)} pixels): "
            "whose is meant? Use --largest to take the largest, or crop the photo to one person."
        )
    return faces[order[0]]


def _no_face(source, best_score, min_score):
    facts, lower = "", ""
    if best_score is not None and min_score is not None:
        facts = f" (2 scales, 4 rotations tried; best score {best_score:.2f}, threshold {min_score:g})"
        if best_score >= min_score:
            facts = f" (2 scales, 4 rotations tried; a score of {best_score:.2f}, but no face at a closer look)"
        elif best_score >= 0.1:
            lower = f"--min-score {np.floor(best_score * 10) / 10:g}, or "
    return f"no face found in {source}{facts}. Use {lower}--no-align if it is an aligned crop."
