"""A FaceLandmarker bundle made of the two models that the cache holds.

The published face_landmarker.task has a mesh of 478 points, the ten last of them irises; ours has 468, so the ten are
appended as zeros by a PAD in the graph. The Tasks library also wants to read from metadata how pixels become numbers.
"""

import zipfile

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from mediapipe.tasks.metadata import metadata_schema_py_generated as description

from kerasface.edge import assets

MESH, WITH_IRISES = 468 * 3, 478 * 3


def write_bundle(path):
    detector = _opened("face_detection_short_range")
    mesh = _opened("face_landmark")
    _pad(mesh)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as bundle:
        bundle.writestr("face_detector.tflite", _packed(detector, mean=127.5, std=127.5))
        bundle.writestr("face_landmarks_detector.tflite", _packed(mesh, mean=0.0, std=255.0))
    return path


def _opened(name):
    return schema.ModelT.InitFromPackedBuf(assets.path(name).read_bytes(), 0)


def _pad(model):
    graph = model.subgraphs[0]
    (last,) = (number for number in graph.outputs if MESH in list(graph.tensors[number].shape))
    shape = [int(size) for size in graph.tensors[last].shape]
    amounts = np.zeros((len(shape), 2), np.int32)
    amounts[-1, 1] = WITH_IRISES - MESH
    buffer, paddings, result = schema.BufferT(), schema.TensorT(), schema.TensorT()
    buffer.data = list(amounts.tobytes())
    model.buffers.append(buffer)
    paddings.name, paddings.type, paddings.buffer = b"paddings", schema.TensorType.INT32, len(model.buffers) - 1
    paddings.shape = list(amounts.shape)
    result.name, result.type, result.buffer = b"landmarks", schema.TensorType.FLOAT32, 0
    result.shape = [*shape[:-1], WITH_IRISES]
    graph.tensors += [paddings, result]
    code, operator = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.PAD
    code.version = 1
    model.operatorCodes.append(code)
    operator.opcodeIndex = len(model.operatorCodes) - 1
    operator.inputs, operator.outputs = [last, len(graph.tensors) - 2], [len(graph.tensors) - 1]
    operator.builtinOptionsType, operator.builtinOptions = schema.BuiltinOptions.PadOptions, schema.PadOptionsT()
    graph.operators.append(operator)
    graph.outputs = [len(graph.tensors) - 1 if number == last else number for number in graph.outputs]


def _packed(model, mean, std):
    tensor, step = description.TensorMetadataT(), description.ProcessUnitT()
    step.optionsType = description.ProcessUnitOptions.NormalizationOptions
    step.options = description.NormalizationOptionsT()
    step.options.mean, step.options.std = [mean], [std]
    tensor.processUnits = [step]
    tensor.content = description.ContentT()
    tensor.content.contentPropertiesType = description.ContentProperties.ImageProperties
    tensor.content.contentProperties = description.ImagePropertiesT()
    tensor.content.contentProperties.colorSpace = description.ColorSpaceType.RGB
    graph, whole = description.SubGraphMetadataT(), description.ModelMetadataT()
    graph.inputTensorMetadata = [tensor]
    graph.outputTensorMetadata = [description.TensorMetadataT() for _ in model.subgraphs[0].outputs]
    whole.subgraphMetadata = [graph]
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data, entry.name, entry.buffer = list(_bytes(whole, b"M001")), b"TFLITE_METADATA", len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or []), entry]
    return _bytes(model, b"TFL3")


def _bytes(tree, identifier):
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(tree.Pack(builder), identifier)
    return bytes(builder.Output())
