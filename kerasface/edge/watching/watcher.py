"""Naming faces in a sequence of frames, each face embedded once while it is in sight."""

import dataclasses

from kerasface.edge.detection.detector import Face
from kerasface.edge.galleries.gallery import Match
from kerasface.edge.watching.tracker import FaceTracker

__all__ = ["WatchedFace", "Watcher"]


@dataclasses.dataclass(frozen=True, eq=False)
class WatchedFace:
    """A face in a frame.

    Args:
        face: where it is: box, score, points.
        track: its number; the same from frame to frame.
        match: the gallery's answer; None while the pipeline's check refuses it.
        new: the answer was found in this frame.
    """

    face: Face
    track: int
    match: Match | None
    new: bool


class Watcher:
    """Finds, follows and names faces, frame after frame.

    A face is embedded and looked up in the frame where it appears and keeps that answer until it is lost from sight;
    one that the pipeline's check refuses is tried again in the next frame.

    Args:
        pipeline: `FacePipeline`.
        gallery: `Gallery` of the pipeline's embedder.
        threshold: cosine; None takes the gallery's calibrated one.
        tracker: `FaceTracker`; None makes one with its defaults.

    Raises:
        KerasfaceError: the gallery is another embedder's.

    Example:
        >>> watcher = Watcher(pipeline, gallery)
        >>> for label, frame in read_frames("door.mp4"):
        ...     names = [seen.match.name for seen in watcher.see(frame) if seen.match]
    """

    def __init__(self, pipeline, gallery, threshold=None, tracker=None):
        gallery.check(pipeline.embedder.spec.embedder_id)
        self._pipeline = pipeline
        self._gallery = gallery
        self._threshold = threshold
        self._tracker = tracker or FaceTracker()
        self._matches = {}

    def see(self, frame):
        """Takes the next frame.

        Args:
            frame: (H, W, 3) uint8 RGB.

        Returns:
            list of `WatchedFace`, largest first.
        """
        faces = self._pipeline.detector.detect(frame)
        tracks = self._tracker.update([face.box for face in faces])
        unnamed = {id(face): track for face, track in zip(faces, tracks, strict=True) if track not in self._matches}
        found = self._pipeline.embed(frame, [face for face in faces if id(face) in unnamed])
        for embedded in found:
            self._matches[unnamed[id(embedded.face)]] = self._gallery.identify(embedded.embedding, self._threshold)
        self._matches = {track: match for track, match in self._matches.items() if track in self._tracker.tracks}
        new = {unnamed[id(embedded.face)] for embedded in found}
        return [
            WatchedFace(face, track, self._matches.get(track), track in new)
            for face, track in zip(faces, tracks, strict=True)
        ]
