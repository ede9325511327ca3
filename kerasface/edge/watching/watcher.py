"""Naming faces in a sequence of frames, without embedding each face in each of them."""

import dataclasses
import time
from typing import NamedTuple

from kerasface.edge.detection.detector import Face
from kerasface.edge.galleries.gallery import Match
from kerasface.edge.watching.tracker import FaceTracker

__all__ = ["WatchedFace", "Watcher"]

_SECOND = 1.0


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


class _Answer(NamedTuple):
    match: Match
    since: float  # the clock's seconds
    frames: int  # for which it holds yet


class Watcher:
    """Finds, follows and names faces, frame after frame.

    A face is embedded and looked up in the frame where it appears. It keeps that answer while it is in sight, but for a
    second and so many frames at most, since somebody else may have taken its place: then, and after every frame without
    it, it is looked up again. One that the pipeline's check refuses has no answer and is tried again in the next frame.

    Args:
        pipeline: `FacePipeline`.
        gallery: `Gallery` of the pipeline's embedder.
        threshold: cosine; None takes the gallery's calibrated one.
        tracker: `FaceTracker`; None makes one with its defaults.
        every: most frames for which an answer holds. 1 looks up every face in every frame, as pictures that don't
            follow each other at once need it.

    Raises:
        KerasfaceError: the gallery is another embedder's.
        ValueError: every below 1.

    Example:
        >>> watcher = Watcher(pipeline, gallery)
        >>> for label, frame in read_frames("door.mp4"):
        ...     names = [seen.match.name for seen in watcher.see(frame) if seen.match]
    """

    def __init__(self, pipeline, gallery, threshold=None, tracker=None, every=25):
        if every < 1:
            raise ValueError(f"every must be at least 1 frame. Received: every={every}")
        gallery.check(pipeline.embedder.spec.embedder_id)
        self._pipeline = pipeline
        self._gallery = gallery
        self._threshold = threshold
        self._tracker = tracker or FaceTracker()
        self._every = every
        self._answers = {}

    def see(self, frame):
        """Takes the next frame.

        Args:
            frame: (H, W, 3) uint8 RGB.

        Returns:
            list of `WatchedFace`, largest first.
        """
        faces = self._pipeline.detector.detect(frame)
        tracks = self._tracker.update([face.box for face in faces])
        now = time.monotonic()
        known = {
            track: answer
            for track in tracks
            if (answer := self._answers.get(track)) and answer.frames > 0 and now - answer.since < _SECOND
        }
        unnamed = {id(face): track for face, track in zip(faces, tracks, strict=True) if track not in known}
        found = self._pipeline.embed(frame, [face for face in faces if id(face) in unnamed])
        for embedded in found:
            match = self._gallery.identify(embedded.embedding, self._threshold)
            known[unnamed[id(embedded.face)]] = _Answer(match, now, self._every)
        # Of this frame's faces alone.
        self._answers = {track: answer._replace(frames=answer.frames - 1) for track, answer in known.items()}
        new = {unnamed[id(embedded.face)] for embedded in found}
        return [
            WatchedFace(face, track, known[track].match if track in known else None, track in new)
            for face, track in zip(faces, tracks, strict=True)
        ]
