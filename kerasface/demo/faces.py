"""The demo's people: who trains, on whom thresholds are chosen, and whom nobody has seen before the test."""

import dataclasses

import numpy as np

from kerasface.data.synthetic import render_identity

__all__ = ["DemoFaces", "Part"]

_SEED = 20


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """Images and labels of some of the people.

    Args:
        images: (N, 112, 112, 3) uint8 RGB.
        labels: (N,) int32 from 0.
    """

    images: np.ndarray
    labels: np.ndarray

    @property
    def people(self):
        """How many."""
        return int(self.labels.max()) + 1


@dataclasses.dataclass(frozen=True, eq=False)
class DemoFaces:
    """Three disjoint groups of synthetic people.

    Args:
        training: for `fit`.
        validation: for the learning curve and the threshold.
        test: for the figures that count.
    """

    training: Part
    validation: Part
    test: Part

    @classmethod
    def render(cls, *, people, images, progress=None):
        """Renders all three groups; the same arguments give the same faces.

        Args:
            people: (training, validation, test) numbers of identities.
            images: the numbers of images each of them has.
            progress: called as `progress(done, total)`, in images.
        """
        total, done, parts = int(np.dot(people, images)), 0, []
        # A seed of its own makes each group's people disjoint from the others'.
        for group, (identities, captures) in enumerate(zip(people, images, strict=True)):
            rendered = []
            for index in range(identities):
                rendered.append(render_identity(index, captures, seed=_SEED + group))
                done += captures
                if progress is not None:
                    progress(done, total)
            labels = np.repeat(np.arange(identities, dtype=np.int32), captures)
            parts.append(Part(np.concatenate(rendered), labels))
        return cls(*parts)
