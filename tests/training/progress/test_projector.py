"""The projector's tables: one line a photo, whatever its person is called."""

import types

import numpy as np
from PIL import Image

from kerasface.data import FaceSource
from kerasface.training.progress.projector import write_projector


def test_names_stand_there_as_they_are(tmp_path):
    names = ("Ann Lee", 'Bob "Bo" Ray', "tab\tand\nline", "Andr\udce9")  # the last as Python reads b"Andr\xe9"
    paths = [tmp_path / f"{number}.png" for number in range(len(names))]
    for path in paths:
        Image.new("RGB", (8, 8)).save(path)
    model = types.SimpleNamespace(predict_on_batch=lambda images: np.ones((len(images), 4)))
    write_projector(tmp_path / "log", model, FaceSource.of_files(names, np.arange(len(names)), paths))
    lines = (tmp_path / "log" / "held_out_people.tsv").read_text(encoding="utf-8").splitlines()
    assert lines == ["Ann Lee", 'Bob "Bo" Ray', "tab and line", "Andr?"]
    rows = np.loadtxt(tmp_path / "log" / "held_out.tsv", delimiter="\t")
    np.testing.assert_allclose(rows, np.full((4, 4), 0.5))
