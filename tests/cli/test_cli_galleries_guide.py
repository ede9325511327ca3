"""The commands and examples of docs/galleries.md, in their order, as they stand there."""

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kerasface.edge import Gallery

GUIDE = Path(__file__).parents[2] / "docs" / "galleries.md"
BLOCK = re.compile(r"```(bash|python)\n(.*?)```", re.DOTALL)

pytestmark = pytest.mark.usefixtures("fetched_assets")


def test_the_guide_runs(kerasface, model_files, hopper_path, hopper, tmp_path, monkeypatch):
    shutil.copy(model_files["tflite"], tmp_path / "mobilefacenet.tflite")
    for target in ("grace.jpg", "party.jpg", "people/Ann/1.jpg", "frames/1.jpg"):
        (tmp_path / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(hopper_path, tmp_path / target)
    Image.fromarray(np.ascontiguousarray(hopper[:, ::-1])).save(tmp_path / "people" / "Ann" / "2.jpg")
    (tmp_path / "passphrase.txt").write_text("correct horse battery staple\n")
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall(GUIDE.read_text(encoding="utf-8"))
    assert len(blocks) == 7
    names, commands = {}, []
    for language, text in blocks:
        if language == "python":
            if "changing" in text:
                kerasface(
                    "enroll", "mobilefacenet.tflite", "grace.jpg", "--name", "Grace Hopper", "--gallery", "all.kfg"
                )
            exec(compile(text, GUIDE.name, "exec"), names)
            continue
        for line in text.splitlines():
            program, *arguments = shlex.split(line)
            assert program == "kerasface"
            code, out, err = kerasface(*arguments)
            assert code == 0, (line, err)
            commands.append(line)
            if arguments[0] == "identify":
                assert re.search(r"\b(Ann|Grace Hopper)\b", out), (line, out)
    assert len(commands) == 20
    assert Gallery.load("all.kfg").names == ["Ann"]
    assert len(names["faces"]) == 1
    assert list((tmp_path / "named").iterdir())
