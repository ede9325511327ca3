"""Aligned crops instead of photos: a "detector" that believes its input."""

import numpy as np

from kerasface.edge.align import TEMPLATES
from kerasface.edge.detection.detector import Face
from kerasface.errors import KerasfaceError

__all__ = ["AlignedCrops"]


class AlignedCrops:
    """Takes every image as one face that lies on the template already; put it in a `FacePipeline` as its detector.

    Args:
        spec: the embedder's `EmbedderSpec`.

    Example:
        >>> pipeline = FacePipeline(embedder, AlignedCrops(embedder.spec))
    """

    min_score = 1.0

    def __init__(self, spec):
        self.spec = spec

    def detect(self, image):
        """Returns the whole image as the one `Face`.

        Args:
            image: (H, W, 3) uint8 RGB of the embedder's input size.

        Raises:
            KerasfaceError: another size.
        """
        height, width = self.spec.input_shape[:2]
        if image.shape != self.spec.input_shape:
            raise KerasfaceError(
                f"an aligned crop for {self.spec.name} has {width}×{height} pixels. Received: "
                f"{image.shape[1]}×{image.shape[0]}. Leave --no-align out and the face is found and aligned."
            )
        points = np.array(TEMPLATES[self.spec.template].points)
        return [Face(box=np.array([0.0, 0.0, width, height]), score=1.0, points=points)]

    detect_all = detect
