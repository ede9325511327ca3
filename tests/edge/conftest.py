import types

import pytest

from tests.device_files import BlockModel, with_onnx_metadata, with_tflite_metadata, write_sidecar


@pytest.fixture(scope="session")
def make():
    """The builders above, for tests that need another file than the usual ones."""
    return types.SimpleNamespace(
        BlockModel=BlockModel,
        with_tflite_metadata=with_tflite_metadata,
        with_onnx_metadata=with_onnx_metadata,
        write_sidecar=write_sidecar,
    )
