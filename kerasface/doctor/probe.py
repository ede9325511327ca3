"""Asks a runtime what it can do, in a process of its own: one that doesn't suit the machine dies alone.

Run as `python -m kerasface.doctor.probe NAME`; prints one JSON object on its last line.
"""

import json
import subprocess
import sys

__all__ = ["PROBES", "probe"]

_SECONDS = 180  # TensorFlow's first import from a cold SD card takes a minute


def probe(name):
    """Runs a probe.

    Args:
        name: of `PROBES`.

    Returns:
        (dict, ""), or (None, why there is no answer).
    """
    command = [sys.executable, "-m", "kerasface.doctor.probe", name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        return None, f"no answer in {_SECONDS} s"
    if done.returncode < 0:
        return None, f"ended by signal {-done.returncode}: this build does not suit this machine"
    lines = [line for line in (done.stderr if done.returncode else done.stdout).splitlines() if line.strip()]
    if done.returncode or not lines:
        return None, lines[-1].strip() if lines else f"exit code {done.returncode}"
    return json.loads(lines[-1]), ""


def _litert():
    from kerasface.edge import assets
    from kerasface.edge.delegation import delegation
    from kerasface.edge.runtime import tflite_interpreter

    facts = {"runtime": tflite_interpreter().__module__.split(".")[0]}
    if facts["runtime"] == "ai_edge_litert" and not assets.missing():
        taken = delegation(assets.path("face_detection_short_range"))
        facts |= {"taken": taken.nodes, "outside": len(taken.outside)}
    return facts


def _onnxruntime():
    import onnxruntime

    return {"providers": onnxruntime.get_available_providers()}


def _tensorflow():
    import keras
    import tensorflow as tf

    gpus = [device.name for device in tf.config.list_physical_devices("GPU")]
    return {"gpus": gpus, "cuda": tf.test.is_built_with_cuda(), "backend": keras.backend.backend()}


PROBES = {"litert": _litert, "onnxruntime": _onnxruntime, "tensorflow": _tensorflow}


if __name__ == "__main__":
    print(json.dumps(PROBES[sys.argv[1]]()))
