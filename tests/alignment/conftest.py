"""A tree with every kind of photo that a real one holds."""

import shutil

import numpy as np
import pytest
from PIL import Image

from kerasface.alignment import AlignmentSettings, align_tree

# The edge tests' models and portrait serve here as well.

ORIENTATION = 0x0112  # EXIF

GOOD = ("1.jpg", "2.png", "gray.png", "gray16.png", "cmyk.jpg", "exif.jpg", "moving.gif", "side.png", "palette.png")
GOOD = {f"Grace/{name}" for name in (*GOOD, "alpha.png", "deep/er/far.bmp")}
BROKEN = {"Odd/truncated.jpg", "Odd/empty.jpg", "Odd/text.jpg", "Odd/header.png"}
NONE = {"Odd/dot.png", "Odd/line.png", "Odd/sea.jpg"}


def write_photos(root, hopper):
    """Writes the tree; the portrait is halved so that the tests are quick."""
    portrait = Image.fromarray(hopper).resize((256, 300))
    for folder in ("Grace/deep/er", "Odd", "Two", ".hidden"):
        (root / folder).mkdir(parents=True)
    grace, odd = root / "Grace", root / "Odd"
    portrait.save(grace / "1.jpg", quality=95)
    portrait.save(grace / "2.png")
    portrait.convert("L").save(grace / "gray.png")
    deep = np.asarray(portrait.convert("L")).astype(np.uint16) * 257
    Image.fromarray(deep).save(grace / "gray16.png")
    portrait.convert("CMYK").save(grace / "cmyk.jpg", quality=95)
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # to be turned clockwise
    portrait.rotate(90, expand=True).save(grace / "exif.jpg", exif=exif, quality=95)
    portrait.save(grace / "moving.gif", save_all=True, append_images=[Image.new("RGB", portrait.size)])
    portrait.rotate(90, expand=True).save(grace / "side.png")
    portrait.quantize(256).save(grace / "palette.png")
    portrait.convert("RGBA").save(grace / "alpha.png")
    portrait.save(grace / "deep" / "er" / "far.bmp")
    whole = (grace / "1.jpg").read_bytes()
    (odd / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (odd / "empty.jpg").write_bytes(b"")
    (odd / "text.jpg").write_text("no image")
    (odd / "header.png").write_bytes((grace / "2.png").read_bytes()[:20])
    Image.new("RGB", (1, 1)).save(odd / "dot.png")
    Image.new("L", (1, 300)).save(odd / "line.png")
    Image.fromarray(np.tile(np.linspace(0, 255, 90).astype(np.uint8)[:, None, None], (1, 120, 3))).save(odd / "sea.jpg")
    two = np.full((300, 460, 3), 90, np.uint8)
    two[:, :256] = portrait
    two[60:240, 290:444] = np.asarray(portrait.resize((154, 180)))
    Image.fromarray(two).save(root / "Two" / "both.png")
    (root / "notes.txt").write_text("not a photo")
    portrait.save(root / ".hidden" / "1.jpg")
    portrait.save(grace / ".draft.jpg")
    return root


def contents(folder):
    """Every file below a folder, as dict of path to bytes."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="session")
def photos(tmp_path_factory, hopper):
    return write_photos(tmp_path_factory.mktemp("photos"), hopper)


@pytest.fixture
def few(photos, tmp_path):
    """A tree of two photos, to be changed."""
    for name in ("Grace/1.jpg", "Odd/sea.jpg"):
        (tmp_path / "few" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(photos / name, tmp_path / "few" / name)
    return tmp_path / "few"


@pytest.fixture(scope="session")
def aligned(tmp_path_factory, photos, fetched_assets):
    """(target, report) of the tree's plain alignment: one process, defaults."""
    target = tmp_path_factory.mktemp("aligned") / "set"
    return target, align_tree(photos, target, AlignmentSettings())
