"""kerasface watch."""

from pathlib import Path

import typer

from kerasface.cli.console import console
from kerasface.cli.faces import MIN_SCORE, MODEL, THRESHOLD, open_pipeline
from kerasface.cli.keys import KEY_FILE, PASSPHRASE_FILE, RENEWAL_KEY, open_keys

__all__ = ["add_to"]


def add_to(app):
    """Adds the command."""
    app.command(name="watch")(watch)


def watch(
    model: Path = MODEL,
    source: str = typer.Argument(help="A camera's number (0 is the first), a video file, or a folder of frames."),
    gallery: Path = typer.Option(help="Gallery file that `kerasface enroll` wrote."),
    threshold: float = THRESHOLD,
    min_score: float = MIN_SCORE,
    out: Path = typer.Option(None, help="Folder for the frames with the names drawn in, as JPEG."),
    passphrase_file: Path = PASSPHRASE_FILE,
    key_file: Path = KEY_FILE,
    renewal_key: Path = RENEWAL_KEY,
):
    """Name the faces in a video: a line when one appears; it is followed from frame to frame and embedded once.

    There is no liveness detection: a photo held before the camera passes for the person. Ctrl-C ends.

    Example: kerasface watch mobilefacenet.tflite door.mp4 --gallery team.kfg --out named/
    """
    from PIL import Image

    from kerasface.edge import Gallery, Watcher, draw_names, read_frames

    keys = open_keys(passphrase_file, key_file, renewal_key)
    pipeline = open_pipeline(model, False, min_score)
    watcher = Watcher(pipeline, Gallery.load(gallery, spec=pipeline.embedder.spec, **keys), threshold)
    if out:
        out.mkdir(parents=True, exist_ok=True)
    frames = faces = 0
    for label, frame in read_frames(source):
        seen = watcher.see(frame)
        for one in seen:
            if one.new:
                faces += 1
                who = one.match.name or "unknown"
                console.print(f"{label}: {who}, cosine {one.match.score:.4f}", soft_wrap=True, markup=False)
        if out:
            Image.fromarray(draw_names(frame, seen)).save(out / f"{frames:06d}.jpg")
        frames += 1
    console.print(f"{frames} frames, {faces} faces", soft_wrap=True)
