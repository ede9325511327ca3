"""Photo to faces: detect, align, embed."""

import dataclasses

import numpy as np

from kerasface.edge.align import TEMPLATES, crops
from kerasface.edge.detection.detector import Face, FaceDetector
from kerasface.edge.detection.selection import the_face
from kerasface.errors import KerasfaceError

__all__ = ["EmbeddedFace", "FacePipeline"]


@dataclasses.dataclass(frozen=True, eq=False)
class EmbeddedFace:
    """A face of a photo with what recognition needs of it.

    Args:
        face: where it is: box, score, points.
        crop: (H, W, 3) uint8 RGB, aligned to the embedder's template.
        embedding: (D,) float32 of unit length. It is biometric data of the person shown.
        embedder_id: of the embedder that made it.
    """

    face: Face
    crop: np.ndarray
    embedding: np.ndarray
    embedder_id: str


class FacePipeline:
    """Finds, aligns and embeds the faces of a photo.

    Args:
        embedder: an `Embedder`.
        detector: a `FaceDetector`; None makes one with its defaults.
        check: a check of your own between finding and embedding a face: a function of the photo, the `Face` and its
            crop that returns None to let it pass, or a text that says why not. A face that doesn't pass is never
            embedded. This is the place for a measure of quality or an attack detector: there is none built in, so a
            photo held before the camera passes for the person on it.

    Raises:
        KerasfaceError: the embedder isn't one for aligned faces of a known template.

    Example:
        >>> pipeline = FacePipeline(Embedder.load("mobilefacenet.tflite"))
        >>> [face.embedding.shape for face in pipeline.faces(load_image("photo.jpg"))]
        [(128,)]
        >>> def large_enough(photo, face, crop):
        ...     return None if np.ptp(face.points[:2, 0]) >= 30 else "the eyes are less than 30 pixels apart"
        >>> careful = FacePipeline(embedder, check=large_enough)
    """

    def __init__(self, embedder, detector=None, check=None):
        spec = embedder.spec
        template = TEMPLATES.get(spec.template)
        if template is None or (template.height, template.width, 3) != spec.input_shape:
            known = ", ".join(f"{name} ({t.height} high × {t.width} wide)" for name, t in TEMPLATES.items())
            raise KerasfaceError(
                f"the embedder {spec.name} takes no faces of a known template: expected {known}. "
                f"Received: template {spec.template!r}, input {spec.input_shape}. Crop yourself and call embed()."
            )
        self.embedder = embedder
        self.detector = detector or FaceDetector()
        self.check = check

    def faces(self, photo):
        """Finds and embeds every face, also small ones beside large ones.

        Args:
            photo: (H, W, 3) uint8 RGB, as `load_image` gives it.

        Returns:
            list of `EmbeddedFace`, largest first, without those that the check refused; empty when there is none.

        Raises:
            ValueError: not such an image.
        """
        return self.embed(photo, self.detector.detect_all(photo))

    def face(self, photo, source, *, largest=False):
        """Finds and embeds the one face that the photo is about.

        Args:
            photo: (H, W, 3) uint8 RGB.
            source: what messages call the photo, its path.
            largest: take the largest face even where another is of similar size.

        Returns:
            an `EmbeddedFace`.

        Raises:
            KerasfaceError: no face; or several of similar size, without `largest`; or the check refused it.
        """
        found = self.detector.detect(photo)
        best_score = None if found else self.detector.best_score(photo)
        face = the_face(found, source, largest=largest, best_score=best_score, min_score=self.detector.min_score)
        aligned, reason = self._checked(photo, face)
        if reason is not None:
            raise KerasfaceError(f"the face in {source} was refused by the pipeline's check: {reason}")
        return self._embedded([face], [aligned])[0]

    def embed(self, photo, faces):
        """Embeds faces that were found before.

        Args:
            photo: (H, W, 3) uint8 RGB.
            faces: list of `Face` of this photo.

        Returns:
            list of `EmbeddedFace` in the same order, without those that the check refused.
        """
        checked = [(face, *self._checked(photo, face)) for face in faces]
        passed = [(face, aligned) for face, aligned, reason in checked if reason is None]
        return self._embedded([face for face, _ in passed], [aligned for _, aligned in passed])

    def _checked(self, photo, face):
        (aligned,) = crops([photo], [face.points], self.embedder.spec.template)
        return aligned, self.check and self.check(photo, face, aligned)

    def _embedded(self, faces, aligned):
        if not faces:
            return []
        embeddings = self.embedder.embed(np.stack(aligned))
        identity = self.embedder.spec.embedder_id
        return [EmbeddedFace(*parts, identity) for parts in zip(faces, aligned, embeddings, strict=True)]
