"""The two public-domain portraits that Python packages carry, and what a camera and a hurry do to a photo."""

from pathlib import Path

import matplotlib
import numpy as np
import skimage.data
from PIL import Image, ImageEnhance, ImageOps

__all__ = ["camera", "changed", "group", "portraits", "written"]

_UPRIGHT_AFTER_A_QUARTER_TURN = 6
_ORIENTATION = 0x0112


def portraits():
    """Returns {"Grace": Grace Hopper's portrait, "Eileen": Eileen Collins's}."""
    grace = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    return {"Grace": Image.open(grace).convert("RGB"), "Eileen": Image.fromarray(skimage.data.astronaut())}


def written(folder):
    """Writes the portraits in as many ways as the page reads differently; returns their paths."""
    people = portraits()
    grace, eileen = people["Grace"], people["Eileen"]
    frame = Image.new("RGB", (1500, 1100), (70, 90, 60))
    frame.paste(eileen.resize((300, 300)), (900, 500))
    tiny = Image.new("RGB", (2400, 1800), (90, 80, 100))
    tiny.paste(grace.resize((384, 450)), (300, 1100))
    tag = Image.Exif()
    tag[_ORIENTATION] = _UPRIGHT_AFTER_A_QUARTER_TURN
    lens = Image.new("L", eileen.size, 255)
    lens.paste(0, (0, 300, 512, 512))
    transparent = eileen.copy()
    transparent.putalpha(lens)
    pictures = {
        "grace.jpg": (grace, {"quality": 95}),
        "eileen.png": (eileen, {}),
        "oriented.jpg": (grace.transpose(Image.Transpose.ROTATE_90), {"quality": 95, "exif": tag}),
        "turned.png": (eileen.transpose(Image.Transpose.ROTATE_90), {}),
        "large.jpg": (grace.resize((2048, 2400), Image.Resampling.BICUBIC), {"quality": 95}),
        "gray.jpg": (grace.convert("L"), {"quality": 95}),
        "transparent.png": (transparent, {}),
        "far.png": (frame, {}),
        "farther.png": (tiny, {}),
        "near.png": (eileen.crop((165, 60, 285, 180)), {}),
        "subsampled.jpg": (eileen, {"quality": 80, "subsampling": "4:2:0"}),
    }
    for name, (picture, options) in pictures.items():
        picture.save(folder / name, **options)
    return [folder / name for name in pictures]


def group(path):
    """Writes a photo of both: Grace near, and Eileen so far behind that one look at the whole photo misses her."""
    people = portraits()
    photo = Image.new("RGB", (1800, 1200), (70, 90, 60))
    photo.paste(people["Grace"].resize((972, 1140), Image.Resampling.BICUBIC), (20, 30))
    photo.paste(people["Eileen"].crop((0, 0, 512, 300)), (1200, 300))
    photo.save(path)
    return path


def changed(folder):
    """Writes each portrait cropped, mirrored, in other light, smaller, and as a poor JPEG.

    Returns:
        dict of person to list of paths.
    """
    cuts = {"Grace": (110, 60, 420, 440), "Eileen": (120, 10, 330, 240)}
    changes = {
        "cropped": lambda photo, cut: photo.crop(cut),
        "mirrored": lambda photo, cut: ImageOps.mirror(photo),
        "dark": lambda photo, cut: ImageEnhance.Brightness(photo).enhance(0.35),
        "bright": lambda photo, cut: ImageEnhance.Brightness(photo).enhance(1.5),
        "warm": lambda photo, cut: Image.fromarray((np.asarray(photo) * (1, 0.85, 0.6)).astype(np.uint8)),
        "smaller": lambda photo, cut: photo.resize((photo.width // 2, photo.height // 2)),
        "poor": lambda photo, cut: ImageOps.mirror(photo.crop(cut)),
    }
    files = {}
    for person, photo in portraits().items():
        for name, change in changes.items():
            path = folder / f"{person.lower()}_{name}.jpg"
            change(photo, cuts[person]).save(path, quality=12 if name == "poor" else 85)
            files.setdefault(person, []).append(path)
    return files


def camera(path, person, *, frames=8):
    """Writes a camera's picture as Chromium plays it: JPEG after JPEG."""
    picture = Image.new("RGB", (640, 480), (120, 130, 125))
    picture.paste(portraits()[person].resize((384, 450)), (130, 20))
    with open(path, "wb") as file:
        for _ in range(frames):
            picture.save(file, "JPEG", quality=92)
    return path
