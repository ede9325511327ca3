import numpy as np
import pytest

from kerasface import FaceModel, export, heads
from kerasface.export import embedder_spec
from tests.export.samples import SIZE, small_backbone, unit


@pytest.fixture(scope="session")
def model():
    return FaceModel(small_backbone(), heads.get("arcface", num_classes=5), mean=127.5, std=128.0)


@pytest.fixture(scope="session")
def spec(model):
    return embedder_spec(model, name="small.arcface_nothing", training_data="nothing", licence="Apache-2.0")


@pytest.fixture(scope="session")
def images():
    return export.natural_images(64, height=SIZE, width=SIZE, seed=3)


@pytest.fixture(scope="session")
def expected(model, images):
    """What the files must answer, from plain NumPy around the backbone."""
    return unit(np.asarray(model.backbone((images.astype("float32") - 127.5) / 128.0, training=False)))


@pytest.fixture(scope="session")
def exported(model, spec, tmp_path_factory):
    """One model's files and their reports: {(format, precision): (path, report)}."""
    folder = tmp_path_factory.mktemp("exported")
    files = {}
    representative = export.natural_images(96, height=SIZE, width=SIZE, seed=11)
    kinds = [("tflite", "fp32"), ("tflite", "fp16"), ("tflite", "int8"), ("tflite", "int8-full"), ("onnx", "fp32")]
    for to, precision in kinds:
        path = folder / f"small_{precision}.{to}"
        options = {"representative": representative} if precision == "int8-full" else {}
        files[to, precision] = path, export.export(model, path, to=to, precision=precision, spec=spec, **options)
    return files
