"""Writes the EmbedderSpec into TFLite and ONNX files and beside them."""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

import flatbuffers
import numpy as np

from kerasface.edge.atomic import write_atomically
from kerasface.edge.flatbuffer import tflite_metadata
from kerasface.edge.metadata import sidecar_path
from kerasface.edge.runtime import KERAS_BEGIN, file_format, read_model
from kerasface.errors import KerasfaceError
from kerasface.spec import SPEC_KEY

__all__ = ["artefact_bytes", "onnx_with_spec", "tflite_with_spec", "write_sidecar", "write_spec"]


def tflite_with_spec(content, spec):
    """Returns a TFLite file's bytes with the spec in its metadata, in place of one that may be there.

    The spec's JSON stands in a buffer of its own, under the name `SPEC_KEY` in `Model.metadata`. Operators, weights and
    signatures stay as they are.

    Args:
        content: the file's bytes.
        spec: `EmbedderSpec`.

    Returns:
        bytes.

    Reference:
        TFLite's schema.fbs, table Metadata.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    for buffer in model.buffers:
        # The quantizer puts weights behind the tables and tells where; packing anew would leave them there.
        if buffer.offset and buffer.size:
            buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    text = np.frombuffer(spec.to_json().encode(), np.uint8)
    model.metadata = model.metadata or []
    entry = next((entry for entry in model.metadata if entry.name == SPEC_KEY.encode()), None)
    if entry is None:
        entry = schema.MetadataT(name=SPEC_KEY, buffer=len(model.buffers))
        model.metadata.append(entry)
        model.buffers.append(schema.BufferT())
    model.buffers[entry.buffer].data = text
    builder = _AlignedBuilder(len(content))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def onnx_with_spec(content, spec):
    """Returns an ONNX file's bytes with the spec's JSON in `metadata_props`, under `SPEC_KEY`.

    Args:
        content: the file's bytes.
        spec: `EmbedderSpec`.

    Returns:
        bytes.

    Reference:
        ONNX IR specification, "Model metadata".
    """
    import onnx

    model = onnx.load_from_string(content)
    onnx.helper.set_model_props(model, {**{p.key: p.value for p in model.metadata_props}, SPEC_KEY: spec.to_json()})
    return model.SerializeToString()


def write_sidecar(path, spec):
    """Writes `PATH.json`: `{"bytes", "file", "sha256", "spec"}` of the file at `path`, which can't hold its own hash.

    Args:
        path: the exported file; or a folder, whose sha256 is that of its files' names and own sha256s, sorted, as
            `sha256sum` prints them.
        spec: `EmbedderSpec`.

    Returns:
        dict that was written.

    Example:
        >>> write_sidecar("best.keras", spec)["file"]
        'best.keras'
    """
    sidecar = {
        "spec": json.loads(spec.to_json()),
        "file": Path(path).name,
        "sha256": _sha256(path),
        "bytes": artefact_bytes(path),
    }
    text = json.dumps(sidecar, indent=2, sort_keys=True) + "\n"
    write_atomically(sidecar_path(path), text.encode(), mode=0o644)
    return sidecar


def write_spec(path, spec):
    """Writes a spec, such as one with new thresholds, into a TFLite or ONNX file, and the sidecar that goes with it.

    A Keras file holds no spec: its sidecar alone is written.

    Args:
        path: `.keras`, TFLite or ONNX file.
        spec: `EmbedderSpec`; of the same embedder.

    Raises:
        KerasfaceError: no such file, another kind, or another embedder's.
        OSError: the file can't be written; it is as it was.

    Example:
        >>> write_spec("face.tflite", spec.replace(thresholds=(Threshold(0.31, 1e-3, "staff", "fp16", 30_000),)))
    """
    path = Path(path)
    content = read_model(path)
    if content.startswith(KERAS_BEGIN):
        write_sidecar(path, spec)
        return
    is_tflite = file_format(content, path) == "tflite"
    inside = (tflite_metadata if is_tflite else _onnx_entries)(content).get(SPEC_KEY)
    if inside is not None and (found := json.loads(inside)["embedder_id"]) != spec.embedder_id:
        raise KerasfaceError(f"{path} holds embedder {found} by now. Received: the spec of {spec.embedder_id}")
    written = (tflite_with_spec if is_tflite else onnx_with_spec)(content, spec)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        # Whole on the disk, both of them, before either takes its name.
        draft, old = Path(folder) / path.name, Path(folder) / "old"
        write_atomically(draft, written, mode=path.stat().st_mode & 0o777)
        write_sidecar(draft, spec)
        shutil.copy2(path, old)
        draft.replace(path)
        try:
            sidecar_path(draft).replace(sidecar_path(path))
        except OSError:
            old.replace(path)
            raise


def _onnx_entries(content):
    import onnx

    return {entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props}


def artefact_bytes(path):
    """Returns the size of a file, or of everything in a folder."""
    path = Path(path)
    return sum(file.stat().st_size for file in _files(path)) if path.is_dir() else path.stat().st_size


def _files(folder):
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _sha256(path):
    path = Path(path)
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    lines = (f"{_sha256(file)}  {file.relative_to(path).as_posix()}\n" for file in _files(path))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


class _AlignedBuilder(flatbuffers.Builder):
    # The schema aligns weights to 16 bytes (force_align), which runtimes rely on; Python's generated code forgets it.
    def StartVector(self, elemSize, numElems, alignment):
        return super().StartVector(elemSize, numElems, 16 if elemSize == 1 else alignment)
