"""What LiteRT, ONNX Runtime, TensorFlow and Keras make of this machine."""

import shutil

from kerasface.doctor.finding import Finding
from kerasface.doctor.packages import installed_tensorflows
from kerasface.doctor.probe import probe

__all__ = ["litert_findings", "onnx_findings", "tensorflow_findings"]


def litert_findings() -> list[Finding]:
    """Looks whether a TFLite runtime opens, and whether XNNPACK, its fast path, takes a model's operators."""
    facts, reason = probe("litert")
    if facts is None:
        return [Finding("edge", "TFLite runtime", "wrong", reason, "pip install --force-reinstall ai-edge-litert")]
    found = [Finding("edge", "TFLite runtime", "ok", facts["runtime"])]
    if "taken" not in facts:
        why = "not looked at: there is no model to ask with"
        return [*found, Finding("edge", "XNNPACK delegate", "absent", why, "kerasface assets get")]
    taken, outside = facts["taken"], facts["outside"]
    counted = f"runs {taken} of {taken + outside} operators of the face detector"
    if not taken:
        return [*found, Finding("edge", "XNNPACK delegate", "wrong", counted, "pip install --upgrade ai-edge-litert")]
    return [*found, Finding("edge", "XNNPACK delegate", "ok", counted)]


def onnx_findings() -> list[Finding]:
    """Looks at ONNX Runtime's execution providers; kerasface itself uses the CPU's."""
    facts, reason = probe("onnxruntime")
    if facts is None:
        return [Finding("onnx", "ONNX Runtime", "wrong", reason, "pip install --force-reinstall onnxruntime")]
    return [Finding("onnx", "ONNX Runtime", "ok", ", ".join(facts["providers"]))]


def tensorflow_findings() -> list[Finding]:
    """Looks at Keras' backend and at the GPUs that TensorFlow sees."""
    facts, reason = probe("tensorflow")
    if facts is None:
        # Not kerasface[train]: forced, pip would look for kerasface itself, which no index has.
        fix = f"pip install --force-reinstall {' '.join(installed_tensorflows()) or 'tensorflow'}"
        return [Finding("train", "TensorFlow", "wrong", reason, fix)]
    backend = facts["backend"]
    found = [Finding("train", "Keras backend", "ok", backend)]
    if backend != "tensorflow":
        why = f"{backend}: heads and FaceModel work on it, recipes and export need TensorFlow"
        found = [Finding("train", "Keras backend", "absent", why, "KERAS_BACKEND=tensorflow kerasface …")]
    return [*found, _gpu(facts)]


def _gpu(facts):
    if facts["gpus"]:
        return Finding("train", "GPU", "ok", f"{len(facts['gpus'])} seen by TensorFlow")
    if shutil.which("nvidia-smi") is None:
        return Finding("train", "GPU", "absent", "none in this machine: training runs on the CPU", "")
    if not facts["cuda"]:
        fix = "pip uninstall tensorflow-cpu && pip install 'tensorflow[and-cuda]'"
        return Finding("train", "GPU", "wrong", "there is one, but this TensorFlow is built without CUDA", fix)
    fix = "pip install 'tensorflow[and-cuda]', or compare the driver's CUDA (nvidia-smi) with TensorFlow's"
    return Finding("train", "GPU", "wrong", "there is one, but TensorFlow does not see it", fix)
