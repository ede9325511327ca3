"""Names the people on photos that arrive in a folder, a JSON line a photo, and deletes the photos.

    python identify_inbox.py EMBEDDER GALLERY INBOX

It runs until it is told to stop (SIGTERM, Ctrl-C). A gallery that is written anew meanwhile is read anew.
"""

import dataclasses
import json
import signal
import sys
import threading
from pathlib import Path

from kerasface.edge import Embedder, FacePipeline, Gallery, load_image
from kerasface.edge.photo_files import PHOTO_SUFFIXES
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

    def ready(self):
        """Returns the photos that haven't changed since the last call, oldest first."""
        now = {}
        for path in self.folder.iterdir():
            if path.suffix.lower() in PHOTO_SUFFIXES and path.is_file():
                status = path.stat()
                now[path] = (status.st_mtime_ns, status.st_size)
        ready = [path for path, state in now.items() if self._seen.get(path) == state]
        self._seen = now
        return sorted(ready, key=lambda path: now[path])


def identify(pipeline, gallery, path):
    """Says who is on a photo.

    Args:
        pipeline: `FacePipeline`.
        gallery: `Gallery` of the same embedder.
        path: of the photo.

    Returns:
        dict with the photo's name and either its faces (name or None, cosine, threshold, box) or the problem.
    """
    try:
        faces = pipeline.faces(load_image(path))
    except KerasfaceError as error:
        return {"photo": path.name, "problem": str(error)}
    answers = []
    for found in faces:
        match = gallery.identify(found.embedding, embedder_id=found.embedder_id)
        box = [round(edge) for edge in found.face.box.tolist()]
        answers.append({"name": match.name, "cosine": round(match.score, 4), "threshold": match.threshold, "box": box})
    return {"photo": path.name, "faces": answers}


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
    while not stop.is_set():
        for path in photos.ready():
            print(json.dumps(identify(pipeline, kept.current(), path), ensure_ascii=False), flush=True)
            path.unlink()
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
