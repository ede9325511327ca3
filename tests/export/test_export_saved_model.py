import json

import numpy as np
import pytest

from kerasface import KerasfaceError
from kerasface.edge.metadata import sidecar_path
from kerasface.export import export, to_saved_model
from kerasface.spec import EmbedderSpec
from tests.export.samples import SIZE


@pytest.fixture(scope="module")
def saved(model, spec, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "small"
    return path, export(model, path, to="saved-model", spec=spec)


def test_tensorflow_serves_it_by_name_in_any_batch(saved, images, expected):
    import tensorflow as tf

    loaded = tf.saved_model.load(str(saved[0]))
    signature = loaded.signatures["serving_default"]
    assert signature.structured_input_signature[1]["image"].shape.as_list() == [None, SIZE, SIZE, 3]
    for count in (1, 5):
        received = signature(image=tf.constant(images[:count]))["embedding"]
        np.testing.assert_allclose(received, expected[:count], atol=1e-6)


def test_the_spec_lies_inside_and_beside(saved, spec):
    path, report = saved
    inside = (path / "assets.extra" / "kerasface.EmbedderSpec.json").read_text()
    sidecar = json.loads(sidecar_path(path).read_text())
    assert EmbedderSpec.from_json(inside) == EmbedderSpec.from_json(json.dumps(sidecar["spec"])) == spec
    assert sidecar["sha256"] == report.sha256
    assert report.bytes == sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def test_its_sha256_is_that_of_sha256sums_list(saved):
    import hashlib
    import subprocess

    path, report = saved
    listing = subprocess.run(
        "find . -type f -printf '%P\\0' | sort -z | xargs -0 sha256sum", cwd=path, shell=True, capture_output=True,
        check=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert hashlib.sha256(listing.stdout).hexdigest() == report.sha256


def test_what_exists_is_not_replaced(model, spec, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("mine")
    for name in ("folder", "file"):
        with pytest.raises(KerasfaceError, match=f"{name} exists.* name one that doesn't exist"):
            to_saved_model(model, tmp_path / name, spec=spec)
    assert (tmp_path / "file").read_text() == "mine"
