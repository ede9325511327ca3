"""Names the people on photos that arrive in a folder, a JSON line a photo, and deletes the photos.

    python identify_inbox.py EMBEDDER GALLERY INBOX

It runs until it is told to stop (SIGTERM, Ctrl-C). A gallery that is written anew meanwhile is read anew.
"""

import contextlib
import dataclasses
import json
import signal
import sys
import threading
from pathlib import Path

from kerasface.edge import Embedder, FacePipeline, Gallery, decision_threshold, load_image
from kerasface.edge.images import EncodedImage
from kerasface.edge.photo_files import PHOTO_SUFFIXES, UNREAD_SUFFIXES
from kerasface.errors import KerasfaceError

__all__ = ["Inbox", "identify"]

# Seconds between two looks: a photo is taken when it hasn't changed from one look to the next, so that none is read
# while it is still being written.
PAUSE = 0.5


class Inbox:
    """A folder's photos, each given once and only when it is whole.

    Args:
        folder: path.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self._seen = {}
        self._given = {}

    def ready(self):
        """Returns the photos that haven't changed since the last call, oldest first.

        Raises:
            KerasfaceError: the folder is none, or may not be looked into.
        """
        try:
            files = list(self.folder.iterdir())
        except OSError as error:
            raise KerasfaceError(
                f"can't look into the inbox {self.folder}: {error.strerror}. Make it a folder that this user owns."
            ) from error
        now = {}
        for path in files:
            # Kinds that can't be read too: they are told and deleted as well.
            if path.suffix.lower() in (*PHOTO_SUFFIXES, *UNREAD_SUFFIXES) and path.is_file():
                with contextlib.suppress(FileNotFoundError):  # its sender took it back
                    status = path.stat()
                    now[path] = (status.st_mtime_ns, status.st_size)
        # One that can't be deleted is given once all the same.
        given = {path: state for path, state in now.items() if self._given.get(path) == state}
        ready = [path for path, state in now.items() if self._seen.get(path) == state and path not in given]
        self._seen, self._given = now, {**given, **{path: now[path] for path in ready}}
        return sorted(ready, key=lambda path: now[path])


def taken(path):
    """Reads a photo and deletes it: one that ends the process must not be there when it starts again.

    Returns:
        `EncodedImage`; None where it is gone.

    Raises:
        OSError: it can't be read or deleted; it is another user's, for instance.
    """
    try:
        photo = EncodedImage(path.read_bytes(), path.name)
        path.unlink()
    except FileNotFoundError:
        return None
    return photo


def identify(pipeline, gallery, photo):
    """Says who is on a photo.

    Args:
        pipeline: `FacePipeline`.
        gallery: `Gallery` of the same embedder.
        photo: `EncodedImage`.

    Returns:
        dict with the photo's name and either its faces (name or None, cosine, threshold, box) or the problem.
    """
    try:
        faces = pipeline.faces(load_image(photo))
    except Exception as error:  # too large for the memory, or whatever a photo may do: the next one must have its turn
        return {"photo": photo.name, "problem": str(error) or type(error).__name__}
    answers = []
    for found in faces:
        match = gallery.identify(found.embedding, embedder_id=found.embedder_id)
        box = [round(edge) for edge in found.face.box.tolist()]
        answers.append({"name": match.name, "cosine": round(match.score, 4), "threshold": match.threshold, "box": box})
    return {"photo": photo.name, "faces": answers}


def answer(pipeline, gallery, path):
    """Takes a photo and says who is on it.

    Args:
        pipeline, gallery: as of `identify`.
        path: of the photo, which is deleted.

    Returns:
        dict as `identify` gives it; None where the photo is gone.
    """
    try:
        photo = taken(path)
    except OSError as error:  # the next one must have its turn
        return {"photo": path.name, "problem": f"it can't be taken: {error.strerror}"}
    return photo and identify(pipeline, gallery, photo)


@dataclasses.dataclass
class KeptGallery:
    """A gallery that follows its file.

    Args:
        path: of the file; people are enrolled into it while the service runs.
        spec: of the embedder.
    """

    path: Path
    spec: object
    _state: object = None
    _gallery: object = None

    def current(self):
        """Returns the gallery as the file holds it now."""
        status = self.path.stat() if self.path.is_file() else None
        state = status and (status.st_mtime_ns, status.st_ino)
        if state != self._state or self._gallery is None:
            self._gallery, self._state = Gallery.load(self.path, spec=self.spec), state
        return self._gallery


def main(embedder, gallery, inbox):
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    pipeline = FacePipeline(Embedder.load(embedder))
    kept, photos = KeptGallery(Path(gallery), pipeline.embedder.spec), Inbox(inbox)
    kept.current()
    decision_threshold(pipeline.embedder.spec)  # said now, not at the first face
    while not stop.is_set():
        for path in photos.ready():
            if told := answer(pipeline, kept.current(), path):
                print(json.dumps(told, ensure_ascii=False), flush=True)
            if stop.is_set():
                break
        stop.wait(PAUSE)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    try:
        main(*sys.argv[1:])
    except KerasfaceError as error:
        raise SystemExit(str(error)) from error
