"""A mistyped path is told before TensorFlow is imported, which takes seconds."""

import os
import shutil
import subprocess
import sys

import pytest

from kerasface.data import render_identities, write_class_folder
from kerasface.edge import Embedder
from kerasface.edge.metadata import sidecar_path

NAME = "mobilefacenet.sface_photos"


@pytest.fixture
def without_tensorflow(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)  # its import fails from here on


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.yaml").touch()
    (tmp_path / "model.keras").write_bytes(b"PK\x03\x04")  # as Keras files begin
    (tmp_path / "model.tflite").touch()
    (tmp_path / "faces" / "ann").mkdir(parents=True)
    (tmp_path / "faces" / "ann" / "1.jpg").touch()


@pytest.mark.parametrize(
    "command",
    [
        "train gone.yaml --data faces",
        "train recipe.yaml --data gone",
        "train recipe.yaml --data faces --photos gone",
        "compare gone.yaml --data faces --lfw faces",
        "compare recipe.yaml --data gone --lfw faces",
        "compare recipe.yaml --data faces --lfw gone",
        "launch gone.yaml --data faces",
        "launch recipe.yaml --data gone",
        "launch recipe.yaml --data faces --photos gone",
        f"finetune {NAME} --data gone",
        "finetune gone.keras --data faces",
        f"export {NAME} --to tflite --out a.tflite --images gone",
        f"export {NAME} --to tflite --out a.tflite --calibrate gone",
        "export gone/model.keras --to tflite --out a.tflite",
        "calibrate gone.tflite faces",
        "calibrate model.keras gone",
        "calibrate model.tflite gone",
        "evaluate model.keras --lfw gone",
        "evaluate model.keras --people gone",
        "evaluate model.keras --probes faces --distractors gone",
        "evaluate gone/model.keras --lfw faces",
        "pack gone packed",
        "align gone aligned --pack",
        "zoo build gone.yaml --data faces --lfw faces",
        "zoo build recipe.yaml --data faces --lfw faces --cfp gone",
        "zoo import gone.pth --arch mbf --name mbf.ours",
    ],
)
def test_a_mistyped_path_is_told_at_once(kerasface, without_tensorflow, place, command):
    code, _, err = kerasface(*command.split())
    assert code == 2
    assert "gone" in err
    assert "tensorflow" not in err


def test_calibrate_wants_a_file_to_write_into(kerasface, without_tensorflow, place, tmp_path, monkeypatch):
    code, _, err = kerasface("calibrate", NAME, "faces")
    assert code == 2
    assert "`kerasface zoo get NAME --format tflite-fp16 --out FILE` makes one that is yours" in err
    monkeypatch.setenv("KERASFACE_CACHE", str(tmp_path / "cache"))
    code, out, _ = kerasface("zoo", "get", NAME)
    assert code == 0
    code, _, err = kerasface("calibrate", out.strip(), "faces")
    assert code == 2
    assert "is a zoo's, whose manifest says what its thresholds are" in err
    (tmp_path / "link.tflite").symlink_to(tmp_path / "model.tflite")
    code, _, err = kerasface("calibrate", "link.tflite", "faces")
    assert code == 2
    assert f"link.tflite is a link. Calibrate the file itself: {tmp_path / 'model.tflite'}" in err
    monkeypatch.setattr("os.access", lambda path, mode: mode != os.W_OK)  # root may write everywhere
    code, _, err = kerasface("calibrate", "model.tflite", "faces")
    assert code == 2
    assert "can't write into" in err


@pytest.mark.parametrize("far", ["0", "1", "2", "nan"])
@pytest.mark.parametrize("command", ["calibrate model.tflite gone", "export gone.keras --to tflite --out a.tflite"])
def test_a_rate_that_is_none_is_told_before_any_file_is_opened(kerasface, place, command, far):
    code, _, err = kerasface(*command.split(), "--far", "0.5", "--far", far)
    assert code == 2
    assert f"a rate lies between 0 and 1, 0.001 for instance. Received: {far}" in err


@pytest.mark.parametrize("option", ["--flip", "--metric"])
def test_evaluate_names_the_choices_before_any_file_is_opened(kerasface, place, option):
    code, _, err = kerasface("evaluate", "gone.tflite", "--people", "faces", option, "foo")
    assert code == 2
    assert "'foo' is not one of" in err


@pytest.mark.parametrize("option", ["--metric l2", "--subtract-mean"])
@pytest.mark.parametrize("benchmark", ["--ijb faces", "--people faces", "--probes faces --distractors faces"])
def test_evaluate_refuses_what_only_pairs_heed(kerasface, place, option, benchmark):
    code, _, err = kerasface("evaluate", "model.tflite", *benchmark.split(), *option.split())
    assert code == 2
    assert f"{option} is for pairs of faces; {benchmark.split()[0]} is measured by the cosine alone" in err


@pytest.mark.parametrize("option", ["--json", "--csv", "--markdown", "--html", "--failures"])
def test_evaluate_refuses_a_place_that_cannot_be_written_before_it_reads(kerasface, place, tmp_path, option):
    code, _, err = kerasface(
        "evaluate", "gone.tflite", "--lfw", "gone", option, "model.tflite/told.png"
    )  # below a file
    assert code == 2
    assert "error: model.tflite/told.png cannot be written: " in err
    kerasface("evaluate", "gone.tflite", "--lfw", "gone", option, "new/told.png")
    assert not (tmp_path / "new").exists()  # nothing is left of a command that fails for another reason


@pytest.mark.parametrize("command", ["evaluate gone.tflite --lfw gone --failures", "align photos aligned --sheet"])
def test_a_figure_of_another_kind_is_refused_before_any_photo_is_read(kerasface, place, command):
    code, _, err = kerasface(*command.split(), "told.jpg")
    assert code == 2
    assert f"{command.split()[-1]} must end in .png or .svg. Received: told.jpg" in err


def test_clean_names_the_way_out_of_a_folder_that_cannot_be_written(kerasface, place, tmp_path, monkeypatch):
    write_class_folder(*render_identities(2, 1, seed=1), tmp_path / "rendered")
    code, _, err = kerasface("clean", "rendered", "--out", "model.tflite/keep.csv")  # below a file
    assert code == 2
    assert "error: model.tflite/keep.report.json cannot be written: " in err
    monkeypatch.setattr("os.access", lambda path, mode: mode != os.W_OK)  # root may write everywhere
    code, _, err = kerasface("clean", "rendered")
    assert code == 2
    assert f"can't write into {tmp_path}: name another place with --out" in err


def test_evaluate_takes_a_keras_file_with_tensorflow_alone(kerasface, without_tensorflow, place):
    code, _, err = kerasface("evaluate", "model.keras", "--people", "faces")
    assert code == 2
    assert "needs tensorflow" in err
    assert "A .tflite file does without" in err


def test_evaluate_takes_a_name_without_tensorflow_too(kerasface, without_tensorflow, tmp_path):
    write_class_folder(*render_identities(3, 2, seed=1), tmp_path / "a")
    code, out, err = kerasface("evaluate", NAME, "--people", tmp_path / "a")
    assert code == 0, err
    assert "rank 1, one image" in out


def test_what_needs_tensorflow_says_so_once_all_paths_are_right(kerasface, without_tensorflow, place):
    for command in ("train recipe.yaml --data faces", "pack faces packed"):
        code, _, err = kerasface(*command.split())
        assert code == 2
        assert "error: this command needs tensorflow: pip install 'kerasface[train,onnx]'" in err


@pytest.mark.parametrize("package", ["scipy", "flatbuffers", "ai_edge_litert"])
def test_calibrate_names_the_package_that_a_device_lacks(kerasface, model_files, tmp_path, monkeypatch, package):
    write_class_folder(*render_identities(2, 2, seed=1), tmp_path / "faces")
    model = shutil.copy(model_files["tflite"], tmp_path / "model.tflite")
    monkeypatch.setitem(sys.modules, package, None)
    code, _, err = kerasface("calibrate", model, tmp_path / "faces")
    assert code == 2
    assert f"this needs {package}: pip install {package}, or 'kerasface[train]'" in err


def test_a_full_disk_is_no_traceback(kerasface, model_files, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    write_class_folder(*render_identities(6, 2, seed=1), tmp_path / "faces")
    model = shutil.copy(model_files["tflite"], tmp_path / "model.tflite")
    monkeypatch.setattr("kerasface.export.metadata.write_atomically", full)
    code, _, err = kerasface("calibrate", model, tmp_path / "faces", "--far", "0.2")
    assert code == 2
    assert f"can't write {model}: No space left on device. It is as it was." in err


def test_calibrating_a_tflite_file_takes_no_tensorflow(model_files, tmp_path):
    write_class_folder(*render_identities(6, 2, seed=1), tmp_path / "faces")
    code = (
        "import sys; sys.modules.update(tensorflow=None, keras=None); from kerasface.cli import main; "
        "sys.argv[0] = 'kerasface'; main()"
    )
    model = shutil.copy(model_files["tflite"], tmp_path / "model.tflite")
    command = [sys.executable, "-c", code, "calibrate", model, tmp_path / "faces", "--far", "0.2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "faces (fp32)" in done.stdout
    sidecar_path(model).unlink()
    assert "faces" in {one.calibrated_on for one in Embedder.load(model).spec.thresholds}
