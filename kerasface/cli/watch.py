"""kerasface watch."""

import os
from pathlib import Path

import typer

from kerasface.cli.console import console, counted, error_console
from kerasface.cli.faces import MIN_SCORE, MODEL, THRESHOLD, cosine_text, open_gallery, open_pipeline
from kerasface.cli.keys import KEY_FILE, PASSPHRASE_FILE, RENEWAL_KEY, open_keys
from kerasface.errors import KerasfaceError

__all__ = ["add_to"]

_TOLD = 1000


def add_to(app):
    """Adds the command."""
    app.command(name="watch")(watch)


def watch(
    model: Path = MODEL,
    source: str = typer.Argument(help="A camera's number (0 is the first), a video file, or a folder of frames."),
    gallery: Path = typer.Option(help="Gallery file that `kerasface enroll` wrote."),
    threshold: float = THRESHOLD,
    min_score: float = MIN_SCORE,
    out: Path = typer.Option(None, help="New folder for frames with the names drawn in; pictures keep their names."),
    passphrase_file: Path = PASSPHRASE_FILE,
    key_file: Path = KEY_FILE,
    renewal_key: Path = RENEWAL_KEY,
):
    """Name the faces in a video: a line when one appears, or turns out to be somebody else.

    A face is followed, and looked up every second or 25 frames; in a folder of pictures in each of them.

    It may miss faces smaller than a seventh of the frame; `kerasface identify` looks for those too.

    There is no liveness detection: a photo held before the camera passes for the person. Ctrl-C ends.

    Example: kerasface watch mobilefacenet.tflite door.mp4 --gallery team.kfg --out named/
    """
    from PIL import Image

    from kerasface.edge import Watcher, draw_names, read_frames

    keys = open_keys(passphrase_file, key_file, renewal_key)
    pipeline = open_pipeline(model, False, min_score)
    known = open_gallery(gallery, pipeline, keys)
    in_folder = Path(source).is_dir()
    watcher = Watcher(pipeline, known, threshold, **({"every": 1} if in_folder else {}))
    if out:
        if in_folder and Path(source).resolve() in (out.resolve(), *out.resolve().parents):
            raise KerasfaceError(f"{out} lies inside of {source}, whose pictures are read: name a folder outside.")
        _make(out)
    frames = answers = unread = 0
    names: dict[int, str] = {}  # of the faces told last

    def leave_out(path, reason):
        nonlocal unread
        unread += 1
        error_console.print(f"left out {path}: {reason}", soft_wrap=True, highlight=False)

    try:
        for label, frame in read_frames(source, leave_out):
            seen = watcher.see(frame)
            for one in seen:
                who = (one.match.name or "unknown") if one.match else ""
                if one.new and names.get(one.track) != who:
                    answers += 1
                    names[one.track] = who
                    if len(names) > _TOLD:  # a camera may run for months
                        del names[next(iter(names))]
                    console.print(f"{label}: {who}, cosine {cosine_text(one.match)}", soft_wrap=True)
            if out:
                name = label if in_folder else f"{frames:06d}.jpg"
                Image.fromarray(draw_names(frame, seen)).save(out / name)
            frames += 1
    finally:  # Ctrl-C is how a camera ends
        if frames:
            console.print(f"frames: {frames}, answers: {answers}", soft_wrap=True)
    if unread:
        raise KerasfaceError(f"{counted(unread, 'picture')} could not be read.")


def _make(folder):
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KerasfaceError(f"can't make {folder}: {error.strerror}. Name another folder with --out.") from error
    if not os.access(folder, os.W_OK):
        raise KerasfaceError(f"can't write into {folder}. Name another folder with --out.")
    if any(folder.iterdir()):  # pictures keep their names, and would go over others of the same name
        raise KerasfaceError(f"{folder} holds files already. Name a new or an empty folder with --out.")
