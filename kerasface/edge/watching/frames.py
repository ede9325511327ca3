"""Frames one after another: from a camera, a video file, or a folder of pictures."""

import contextlib
import importlib
import sys
from pathlib import Path

import numpy as np

from kerasface.edge.images import load_image
from kerasface.edge.photo_files import PHOTO_SUFFIXES, UNREAD_SUFFIXES, photos_in, unread_text
from kerasface.errors import KerasfaceError

__all__ = ["read_frames"]

# FFmpeg's name of the system's cameras, and of the n-th one.
_CAMERAS = {"linux": ("v4l2", "/dev/video{}"), "darwin": ("avfoundation", "{}")}


def read_frames(source, unreadable=None):
    """Yields frames in their order, upright.

    Args:
        source: a folder of pictures, in the order of their names; a video file; or a camera's number, 0 being the
            first. Videos and cameras are read through PyAV (FFmpeg): `pip install 'kerasface[video]'`.
        unreadable: called as `unreadable(path, reason)` with a folder's picture that can't be read, which is left
            out then; None lets the first one end the reading, but for those of kinds that never are, HEIC for one.

    Yields:
        (label, frame): a picture's name or the time in seconds, and (H, W, 3) uint8 RGB.

    Raises:
        KerasfaceError: no such source, no pictures in the folder, a damaged one, not a video, or PyAV isn't installed.

    Example:
        >>> for label, frame in read_frames("door.mp4"):
        ...     print(label, frame.shape)
    """
    source = str(source)  # also of a camera's number
    if Path(source).is_dir():
        files = photos_in(Path(source))
        if not files:
            unread = unread_text(Path(source).iterdir())
            raise KerasfaceError(f"no pictures in {source}: expected {', '.join(PHOTO_SUFFIXES)} files.{unread}")
        for path in photos_in(Path(source), UNREAD_SUFFIXES) if unreadable else ():
            unreadable(path, f"{path.suffix} photos aren't read: save it as JPEG or PNG")
        for path in files:
            try:
                frame = load_image(path)
            except KerasfaceError as error:
                if unreadable is None:
                    raise
                unreadable(path, str(error))
                continue
            yield path.name, frame
    elif source.isdecimal() and not Path(source).exists():
        yield from _decoded(*_camera(source))
    elif Path(source).is_file():
        yield from _decoded(source, None)
    else:
        raise KerasfaceError(f"no folder, video file or camera {source}. A camera is a number: 0 is the first.")


def _camera(number):
    if sys.platform not in _CAMERAS:
        raise KerasfaceError(f"cameras are read on {', '.join(_CAMERAS)}; on {sys.platform} give a video file.")
    kind, name = _CAMERAS[sys.platform]
    return name.format(number), kind


def _decoded(name, kind):
    try:
        av = importlib.import_module("av")
    except ModuleNotFoundError as error:
        raise KerasfaceError("videos and cameras need: pip install 'kerasface[video]'") from error
    with contextlib.ExitStack() as stack:
        try:
            container = stack.enter_context(av.open(name, format=kind))
            for frame in container.decode(video=0):
                # The camera was held on its side: the angle stands beside the picture, counterclockwise.
                upright = np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90)
                yield f"{frame.time or 0:.2f} s", np.ascontiguousarray(upright)
        # FFmpeg's errors are also of Python's kinds, by what went wrong; a file without pictures has no stream 0.
        except (av.FFmpegError, IndexError) as error:
            reason = "there are no pictures in it" if isinstance(error, IndexError) else error
            hint = "Is a camera connected, and free?" if kind else "Is it a video, and whole?"
            raise KerasfaceError(f"can't read frames from {name}: {reason}. {hint}") from error
