import json

import numpy as np
import pytest

from kerasface.edge import Embedder
from kerasface.export import export

KEYS = [("tflite", "fp32"), ("tflite", "fp16"), ("tflite", "int8"), ("tflite", "int8-full"), ("onnx", "fp32")]


@pytest.mark.parametrize("key", KEYS)
def test_the_report_tells_the_file_and_its_proof(exported, spec, key):
    path, report = exported[key]
    told = json.loads(report.to_json())
    assert (told["format"], told["precision"]) == key
    assert told["path"] == str(path)
    assert told["embedder_id"] == spec.embedder_id
    assert told["parity"]["images"] == 64
    assert told["parity"]["operators"] == report.parity.operators


@pytest.mark.parametrize("key", KEYS)
def test_the_edge_runtime_opens_every_file(exported, spec, images, expected, key):
    embedder = Embedder.load(exported[key][0])
    assert embedder.spec == spec
    cosines = np.sum(embedder.embed(images[:5]) * expected[:5], axis=1)
    np.testing.assert_allclose(cosines, 1, atol=5e-3 if key[1].startswith("int8") else 1e-5)


@pytest.mark.parametrize(("to", "precision"), [("tflite", "fp16"), ("onnx", "fp32")])
def test_each_format_has_its_usual_precision(model, spec, tmp_path, to, precision):
    assert export(model, tmp_path / "f", to=to, spec=spec).precision == precision


def test_an_unknown_format_is_refused(model, spec, tmp_path):
    with pytest.raises(ValueError, match="to='coreml'"):
        export(model, tmp_path / "f", to="coreml", spec=spec)


def test_a_precision_that_the_format_lacks_is_refused(model, spec, tmp_path):
    with pytest.raises(ValueError, match="onnx files are written in"):
        export(model, tmp_path / "f", to="onnx", precision="fp16", spec=spec)
