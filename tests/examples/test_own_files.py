"""The examples on a user's own folders."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kerasface.data import render_identities, write_class_folder
from tests.examples.conftest import small_backbone

pytestmark = pytest.mark.slow
FOLDS, PEOPLE_A_FOLD = 2, 5


@pytest.fixture(scope="module")
def own(folder, patch):
    """faces/ of aligned crops; lfw/ as the benchmark lies on a disk; a network that is quick."""
    from kerasface import backbones

    patch.setattr(backbones, "get", lambda name, **kwargs: small_backbone())
    images, labels = render_identities(20, 4, seed=0)
    write_class_folder(images, labels, folder / "faces")
    lines = [f"{FOLDS}\t{2 * PEOPLE_A_FOLD}"]
    for fold in range(FOLDS):
        people = [f"P{person}" for person in range(fold * PEOPLE_A_FOLD, (fold + 1) * PEOPLE_A_FOLD)]
        lines += [f"{name}\t{first}\t{first + 1}" for name in people for first in (1, 3)]
        lines += [f"{one}\t1\t{other}\t1" for one, other in itertools.combinations(people, 2)]
    for image, label, number in zip(images, labels, itertools.cycle((1, 2, 3, 4)), strict=False):
        path = folder / "lfw" / "aligned_112" / f"P{label}" / f"P{label}_{number:04d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path, quality=95)
    (folder / "lfw" / "pairs.txt").write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.parametrize("number", ["01", "10"])
def test_photos_that_are_not_aligned_are_sent_to_align(run, own, number):
    photo = own / "unaligned" / "P0" / "1.png"
    photo.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (130, 112)).save(photo)
    with pytest.raises(SystemExit, match="unaligned holds photos that aren't aligned: kerasface align"):
        run(number, own / "unaligned")


def test_01_04_and_05_take_folders(run, own):
    assert "face.keras" in run("01", own / "faces")
    printed = run("04", "face.keras", own / "lfw", own / "faces")
    assert re.search(r"^LFW: accuracy", printed, re.MULTILINE)
    assert "accepts one stranger in 100," in printed
    printed = run("05", "face.keras", own / "faces")
    assert len(re.findall(r"on 80 faces: least cosine 0.9999|on 80 faces: least cosine 1.0000", printed)) == 2


def test_10_takes_a_folder(run, own):
    assert "square_face: loss" in run("10", own / "faces")


def test_03_takes_photos_as_a_camera_takes_them(run, own, fetched_assets):
    images, labels = render_identities(24, 6, seed=5)
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = Path("photos", f"P{label:02d}", f"{index}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        photo = np.full((360, 300, 3), 120, np.uint8)
        photo[60:284, 30:254] = np.asarray(Image.fromarray(image).resize((224, 224)))
        Image.fromarray(photo).save(path)
    printed = run("03", "face.keras", "photos")
    assert "'ok': 1" in printed  # more than a hundred of them
    assert re.search(r"recognised: [\d.]+% before, [\d.]+% after", printed)
