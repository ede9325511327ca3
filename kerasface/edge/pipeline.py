"""Photo to faces: detect, align, embed."""

import dataclasses

import numpy as np

from kerasface.edge.align import TEMPLATES, crops
from kerasface.edge.detector import Face, FaceDetector
from kerasface.edge.selection import the_face
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

    Raises:
        KerasfaceError: the embedder isn't one for aligned faces of a known template.

    Example:
        >>> pipeline = FacePipeline(Embedder.load("mobilefacenet.tflite"))
        >>> [face.embedding.shape for face in pipeline.faces(load_image("photo.jpg"))]
        [(128,)]
    """

    def __init__(self, embedder, detector=None):
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

    def faces(self, photo):
        """Finds and embeds every face.

        Args:
            photo: (H, W, 3) uint8 RGB, as `load_image` gives it.

        Returns:
            list of `EmbeddedFace`, largest first; empty when there is none.

        Raises:
            ValueError: not such an image.
        """
        return self._embed(photo, self.detector.detect(photo))

    def face(self, photo, source, *, largest=False):
        """Finds and embeds the one face that the photo is about.

        Args:
            photo: (H, W, 3) uint8 RGB.
            source: what messages call the photo, its path.
            largest: take the largest face even where another is of similar size.

        Returns:
            an `EmbeddedFace`.

        Raises:
            KerasfaceError: no face; or several of similar size, without `largest`.
        """
        found = self.detector.detect(photo)
        best_score = None if found else self.detector.best_score(photo)
        face = the_face(found, source, largest=largest, best_score=best_score, min_score=self.detector.min_score)
        return self._embed(photo, [face])[0]

    def _embed(self, photo, faces):
        if not faces:
            return []
        spec = self.embedder.spec
        aligned = crops([photo] * len(faces), [face.points for face in faces], spec.template)
        embeddings = self.embedder.embed(aligned)
        return [EmbeddedFace(*parts, spec.embedder_id) for parts in zip(faces, aligned, embeddings, strict=True)]
