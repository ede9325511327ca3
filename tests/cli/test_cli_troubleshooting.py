"""Commands that docs/troubleshooting.md answers with, and that no other test of the command line gives."""

import json
import shutil

import numpy as np
import onnx
import pytest
from PIL import Image

from kerasface import FaceModel, backbones, heads
from kerasface.data import open_faces, render_identities, write_class_folder, write_record_file, write_verification_bin
from kerasface.edge import Embedder, decision_threshold
from kerasface.edge.metadata import sidecar_path
from kerasface.edge.runtime import tflite_interpreter
from kerasface.export import embedder_spec, load_trained, natural_images, write_sidecar
from kerasface.spec import Threshold
from tests.backbones.networks import settle
from tests.export.samples import DIMENSION, SIZE, small_backbone


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A small embedder as training writes it: a Keras file with its spec beside it."""
    path = tmp_path_factory.mktemp("model") / "best.keras"
    network = FaceModel(small_backbone(), heads.get("arcface", num_classes=5))
    network.save(path)
    write_sidecar(path, embedder_spec(network, name="small.arcface_nothing"))
    return path


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces") / "faces"
    for number, image in enumerate(natural_images(64, height=SIZE, width=SIZE, seed=5)):
        path = folder / f"person_{number % 8}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return folder


def test_nchw_and_floats(kerasface, model, tmp_path):
    out = tmp_path / "face.onnx"
    code, _, err = kerasface("export", model, "--to", "onnx", "--layout", "nchw", "--input", "float32", "--out", out)
    assert code == 0, err
    (tensor,) = onnx.load(out).graph.input
    assert tensor.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    batch, *shape = tensor.type.tensor_type.shape.dim
    assert not batch.dim_value  # free
    assert [one.dim_value for one in shape] == [3, SIZE, SIZE]


@pytest.mark.parametrize(("web", "batch"), [((), 0), (("--for", "web"), 1)])
def test_the_batch_of_an_onnx_file_is_free_but_for_browsers(kerasface, model, tmp_path, web, batch):
    out = tmp_path / "face.onnx"
    code, _, err = kerasface("export", model, "--to", "onnx", *web, "--out", out)
    assert code == 0, err
    (tensor,) = onnx.load(out).graph.input
    assert [one.dim_value for one in tensor.type.tensor_type.shape.dim] == [batch, SIZE, SIZE, 3]  # 0: any
    if not batch:
        assert Embedder.load(out).embed(natural_images(3, height=SIZE, width=SIZE)).shape == (3, DIMENSION)


def test_the_batch_of_a_tflite_file_is_fixed(kerasface, model, tmp_path):
    out = tmp_path / "face.tflite"
    code, _, err = kerasface("export", model, "--to", "tflite", "--batch", "8", "--out", out)
    assert code == 0, err
    (tensor,) = tflite_interpreter()(model_path=str(out)).get_input_details()
    assert tensor["shape"].tolist() == [8, SIZE, SIZE, 3]


def test_precisions_are_compared_on_pairs_of_ones_own(kerasface, model, faces, tmp_path):
    lines = ["first,second,same,fold"]
    for fold in range(2):
        for one in range(4 * fold, 4 * fold + 4):
            first, second, *_ = sorted((faces / f"person_{one}").iterdir())
            (other,) = sorted((faces / f"person_{4 * fold + (one + 1) % 4}").iterdir())[:1]
            lines += [f"{first},{second},1,{fold}", f"{first},{other},0,{fold}"]
    pairs, told = tmp_path / "list.csv", tmp_path / "told.json"
    pairs.write_text("\n".join(lines))
    code, _, err = kerasface(
        "export", model, "--to", "tflite", "--precision", "int8-full", "--representative", faces, "--pairs", pairs,
        "--calibrate", faces, "--far", "0.05", "--out", tmp_path / "face.tflite", "--json", told,
    )  # fmt: skip
    assert code == 0, err
    report = json.loads(told.read_text())
    assert [row["artefact"] for row in report["comparison"]["rows"]] == ["Keras", "fp32", "fp16", "int8", "int8-full"]
    assert [one["precision"] for one in report["thresholds"]] == ["int8-full"]
    code, _, err = kerasface("evaluate", tmp_path / "face.tflite", "--pairs", pairs, "--json", told)
    assert code == 0, err
    assert json.loads(told.read_text())["verification"]["result"]["genuine_pairs"] == 8


def test_an_onnx_file_of_other_versions_is_imported(kerasface, tmp_path):
    backbone = backbones.get("mobilefacenet", width=0.125, embedding_dim=16, input_shape=(SIZE, SIZE, 3))
    settle(backbone, (natural_images(8, height=SIZE, width=SIZE) - np.float32(127.5)) / 127.5)
    network = FaceModel(backbone)
    network.save(tmp_path / "old.keras")
    write_sidecar(tmp_path / "old.keras", embedder_spec(network, name="mobilefacenet.old"))
    old, out = tmp_path / "old.onnx", tmp_path / "imported"
    code, _, err = kerasface("export", tmp_path / "old.keras", "--to", "onnx", "--out", old)
    assert code == 0, err
    arguments = ("zoo", "import", old, "--arch", "mobilefacenet", "--name", "mobilefacenet.mine", "--out", out)
    code, said, err = kerasface(*arguments)
    assert code == 0, err
    assert "against ONNX Runtime" in said
    assert load_trained(out / "model.keras")[1].name == "mobilefacenet.mine"


def test_int8_full_and_how_long_files_take(kerasface, model, faces, tmp_path):
    paths = {"fp16": tmp_path / "fp16.tflite", "int8-full": tmp_path / "int8.tflite"}
    for precision, path in paths.items():
        more = ("--representative", faces) if precision == "int8-full" else ()
        code, out, err = kerasface("export", model, "--to", "tflite", "--precision", precision, *more, "--out", path)
        assert code == 0, err
        assert f"tflite {precision}" in out
        assert sidecar_path(path).is_file()
    told = tmp_path / "times.json"
    code, out, err = kerasface(
        "benchmark", *paths.values(), "--threads", "1", "--threads", "2", "--runs", "5", "--json", told
    )
    assert code == 0, err
    assert "XNNPACK" in out
    runs = [run["threads"] for file in json.loads(told.read_text())["files"] for run in file["runs"]]
    assert runs == [1, 2, 1, 2]


def test_a_bin_set_is_measured(kerasface, model_files, tmp_path):
    path = tmp_path / "agedb_30.bin"
    write_class_folder(*render_identities(5, 4, seed=2), tmp_path / "faces")
    encoded = [image.read_bytes() for image in sorted((tmp_path / "faces").rglob("*.png"))]
    # Ten pairs of one photo with itself, ten of neighbours' photos.
    pairs = [one for image in encoded[:10] for one in (image, image)]
    pairs += [one for number in range(10) for one in (encoded[number], encoded[number + 10])]
    write_verification_bin(pairs, [True] * 10 + [False] * 10, path)
    told = tmp_path / "told.json"
    code, _, err = kerasface("evaluate", model_files["tflite"], "--bin", path, "--json", told)
    assert code == 0, err
    write_verification_bin(pairs[:20], [True] * 10, tmp_path / "one.bin")
    code, _, err = kerasface("evaluate", model_files["tflite"], "--bin", tmp_path / "one.bin")
    assert code == 2
    assert "one.bin: both genuine and impostor pairs are needed" in err
    result = json.loads(told.read_text())["verification"]["result"]
    assert (result["genuine_pairs"], result["impostor_pairs"], result["auc"]) == (10, 10, 1.0)


def test_a_record_file_is_packed(kerasface, tmp_path):
    write_class_folder(np.zeros((4, 8, 8, 3), np.uint8), [0, 0, 1, 1], tmp_path / "faces")
    write_record_file(open_faces(tmp_path / "faces"), tmp_path / "train.rec")
    code, out, err = kerasface("pack", tmp_path / "train.rec", tmp_path / "packed")
    assert code == 0, err
    assert "4 photos of 2 people" in out


def test_a_rate_that_people_cant_support_is_refused(kerasface, model_files, tmp_path):
    write_class_folder(*render_identities(3, 2, seed=2), tmp_path / "people")
    model = tmp_path / "face.tflite"
    model.write_bytes(model_files["tflite"].read_bytes())
    code, _, err = kerasface("calibrate", model, tmp_path / "people", "--far", "1e-4")
    assert code == 2
    assert "30,000 impostor pairs. Received: 12" in err


@pytest.fixture
def calibrated_model(model, tmp_path):
    """The small embedder with thresholds, as a run on people held out gives them."""
    path = tmp_path / "best.keras"
    shutil.copy(model, path)
    thresholds = [Threshold(cosine, far, "celebrities", "fp32", 9999) for cosine, far in ((0.97, 1e-2), (0.99, 1e-3))]
    write_sidecar(path, load_trained(model)[1].replace(thresholds=thresholds))
    return path


def test_thresholds_of_another_precision_are_told_and_then_replaced(kerasface, calibrated_model, faces, tmp_path):
    path = tmp_path / "face.tflite"
    code, _, err = kerasface("export", calibrated_model, "--to", "tflite", "--precision", "int8", "--out", path)
    assert code == 0, err
    assert "int8 file: cosine 0.9700 at FAR 0.01 (fp32), cosine 0.9900 at FAR 0.001 (fp32)." in err
    assert f"`kerasface calibrate {path} FACES`" in err
    assert decision_threshold(Embedder.load(path).spec) == 0.99

    code, out, err = kerasface("calibrate", path, faces, "--far", "0.05", "--far", "0.01")
    assert code == 0, err
    spec = Embedder.load(path).spec
    told = [(one.far, one.precision, one.calibrated_on) for one in spec.thresholds]
    assert told == [(0.05, "int8", "faces"), (0.01, "int8", "faces")]
    assert f"cosine {decision_threshold(spec):.4f}; --threshold" in out
    assert decision_threshold(spec) == spec.thresholds[1].cosine
    assert "celebrities" not in out
    assert "dropped: cosine 0.9900 at FAR 0.001 from celebrities" in err

    code, _, err = kerasface("calibrate", path, faces, "--far", "0.05")
    assert (code, Embedder.load(path).spec.thresholds) == (0, spec.thresholds[:1])
    assert f"dropped: cosine {spec.thresholds[1].cosine:.4f} at FAR 0.01 from faces (int8)" in err


def test_thresholds_of_fp32_are_carried_to_fp16_without_a_word(kerasface, calibrated_model, tmp_path):
    code, _, err = kerasface("export", calibrated_model, "--to", "tflite", "--out", tmp_path / "face.tflite")
    assert code == 0, err
    assert "carried over" not in err


def test_a_saved_model_is_calibrated_as_it_is_exported_or_never(kerasface, calibrated_model, tmp_path):
    _, spec = load_trained(calibrated_model)
    write_sidecar(calibrated_model, spec.replace(thresholds=(Threshold(0.9, 1e-2, "celebrities", "int8", 9999),)))
    code, _, err = kerasface("export", calibrated_model, "--to", "saved-model", "--out", tmp_path / "face")
    assert code == 0, err
    assert "fp32 file: cosine 0.9000 at FAR 0.01 (int8). Replace by its own: export with --calibrate FACES" in err


def test_a_run_s_own_model_is_calibrated_in_its_own_precision(kerasface, calibrated_model, faces):
    code, _, err = kerasface("calibrate", calibrated_model, faces, "--far", "0.01")
    assert code == 0, err
    (threshold,) = load_trained(calibrated_model)[1].thresholds  # that of celebrities at 1e-3 would decide
    assert (threshold.far, threshold.precision, threshold.calibrated_on) == (0.01, "fp32", "faces")
