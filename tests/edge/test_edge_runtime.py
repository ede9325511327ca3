import subprocess
import sys

import numpy as np
import pytest

from kerasface.edge.runtime import OnnxSession, TFLiteSession, file_format, open_session, read_model
from kerasface.errors import KerasfaceError


def test_the_content_decides_not_the_name(model_files, tmp_path):
    (tmp_path / "a.onnx").write_bytes(model_files["tflite"].read_bytes())
    (tmp_path / "b.tflite").write_bytes(model_files["onnx"].read_bytes())
    for name, kind in (("a.onnx", TFLiteSession), ("b.tflite", OnnxSession)):
        content = read_model(tmp_path / name)
        assert isinstance(open_session(content, name), kind)


@pytest.mark.parametrize("name", ["tflite", "tflite_batch4", "tflite_free", "onnx"])
def test_sessions_tell_their_interface(model_files, name):
    session = open_session(read_model(model_files[name]), name, threads=2)
    batch = {"tflite": 1, "tflite_batch4": 4}.get(name)
    assert session.input_name == "image"
    assert session.input_shape == (batch, 112, 112, 3)
    assert session.input_dtype == np.uint8
    assert session.output_names == ["embedding"]
    assert session.output_shapes[0][-1] == 16


def test_a_model_of_several_outputs_gives_them_all(fetched_assets):
    path = fetched_assets.paths[0]
    session = open_session(read_model(path), path)
    outputs = session.run(np.zeros((1, 128, 128, 3), np.float32))
    assert dict(zip(session.output_names, [o.shape for o in outputs], strict=True)) == {
        "regressors": (1, 896, 16),
        "classificators": (1, 896, 1),
    }


def test_files_that_are_no_model(tmp_path):
    with pytest.raises(KerasfaceError, match=r"no model file .*kerasface export.*kerasface zoo get"):
        read_model(tmp_path / "gone.tflite")
    with pytest.raises(KerasfaceError, match="Received: the folder"):
        read_model(tmp_path)
    (tmp_path / "zero.tflite").touch()
    with pytest.raises(KerasfaceError, match=r"zero\.tflite is empty"):
        read_model(tmp_path / "zero.tflite")
    with pytest.raises(KerasfaceError, match=r"neither a TFLite nor an ONNX model. Received: first bytes b'plain te'"):
        file_format(b"plain text", "notes.tflite")
    with pytest.raises(KerasfaceError, match=r"looks like a \.keras archive: export it first"):
        file_format(b"PK\x03\x04....", "model.keras")


def test_another_users_model_is_refused(tmp_path, monkeypatch):
    def forbidden(path, *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "theirs.tflite").write_bytes(b"secret")
    monkeypatch.setattr("pathlib.Path.read_bytes", forbidden)
    with pytest.raises(KerasfaceError, match=r"can't read the model file .*theirs\.tflite: Permission denied"):
        read_model(tmp_path / "theirs.tflite")


@pytest.mark.parametrize("kept", [12, 0.1, 0.6])
@pytest.mark.parametrize("name", ["tflite", "onnx"])
def test_a_truncated_model_is_an_error(model_files, name, kept):
    content = model_files[name].read_bytes()
    with pytest.raises(KerasfaceError, match=r"cut\.model .*doesn't open as a .*Export or copy it again"):
        open_session(content[: kept if kept > 1 else int(kept * len(content))], "cut.model")


def test_metadata_that_point_nowhere_are_an_error(model_files):
    from ai_edge_litert import schema_py_generated as schema

    content = bytearray(model_files["tflite"].read_bytes())
    entry = schema.Model.GetRootAsModel(content, 0).Metadata(0)
    content[(at := entry._tab.Pos + entry._tab.Offset(6)) : at + 4] = b"\xff\xff\xff\x7f"  # its buffer's number
    with pytest.raises(KerasfaceError, match=r"bad\.tflite .*doesn't open as a TFLite model: not a whole TFLite file"):
        open_session(bytes(content), "bad.tflite")


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2"])
def test_threads_must_be_a_count(model_files, threads):
    with pytest.raises(ValueError, match=r"threads must be a whole number >= 1.*Received: threads="):
        open_session(read_model(model_files["tflite"]), "m", threads=threads)


def blocked(modules, code, *arguments):
    """Runs code in a fresh interpreter where the modules can't be imported."""
    block = f"import sys; sys.modules.update(dict.fromkeys({modules!r}))\n"
    command = [sys.executable, "-c", block + code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


OPEN = """
from kerasface.edge.runtime import open_session, read_model
from kerasface.errors import KerasfaceError
try:
    print(type(open_session(read_model(sys.argv[1]), "m")).__name__)
except KerasfaceError as error:
    print(error)
"""


def test_without_onnxruntime_the_message_says_how_to_get_it(model_files):
    assert "pip install onnxruntime" in blocked(["onnxruntime"], OPEN, model_files["onnx"])
    assert "TFLiteSession" in blocked(["onnxruntime"], OPEN, model_files["tflite"])


def test_without_ai_edge_litert_tflite_runtime_serves_else_the_message_names_both(model_files):
    # LiteRT's own interpreter under the other name shows the way taken; tests/devices has the real one.
    stand_in = "import ai_edge_litert.interpreter as i; sys.modules['ai_edge_litert.interpreter'] = None\n"
    stand_in += "import types; sys.modules['tflite_runtime'] = types.ModuleType('tflite_runtime')\n"
    stand_in += "sys.modules['tflite_runtime.interpreter'] = i\n"
    assert "TFLiteSession" in blocked([], stand_in + OPEN, model_files["tflite"])
    message = blocked(["ai_edge_litert", "tflite_runtime"], OPEN, model_files["tflite"])
    assert "pip install ai-edge-litert (or tflite-runtime" in message


def test_a_runtime_that_can_not_be_loaded_is_not_called_missing(model_files):
    broken = """
import importlib
kept = importlib.import_module
def load(name):
    if "interpreter" in name:
        raise ImportError("GLIBC_2.38 not found")
    return kept(name)
importlib.import_module = load
"""
    message = blocked([], broken + OPEN, model_files["tflite"])
    assert "ai_edge_litert can't be loaded: GLIBC_2.38 not found" in message
