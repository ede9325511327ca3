import json
import os

import numpy as np
import pytest

from kerasface.edge import Gallery, RenewalKey, Secret
from kerasface.errors import KerasfaceError


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@pytest.fixture
def photos(rng):
    return {"Ada": unit(rng.normal(size=(3, 16)) + 2), "王": unit(rng.normal(size=(1, 16)))}


@pytest.fixture(params=["mean", "max"])
def gallery(request, spec, photos):
    key = RenewalKey(bytes(range(32)))
    gallery = Gallery(spec, policy=request.param, renewal=key, secret=Secret("key file", bytes(32)))
    for name, embeddings in photos.items():
        gallery.enroll(name, embeddings)
    return gallery


def test_the_json_holds_names_and_templates_in_clear(gallery, photos, tmp_path):
    path = tmp_path / "team.json"
    gallery.export_json(path)
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["kerasface_gallery"] == 1
    assert document["notice"].startswith("Biometric data")
    assert document["spec"]["embedder_id"] == "a1b2"
    assert document["policy"] == gallery.policy
    assert [(p["name"], p["photos"]) for p in document["people"]] == [("Ada", 3), ("王", 1)]
    expected = photos["Ada"].mean(0, keepdims=True) if gallery.policy == "mean" else photos["Ada"]
    np.testing.assert_allclose(document["people"][0]["templates"], expected, atol=1e-6)
    assert os.name == "nt" or path.stat().st_mode & 0o777 == 0o600


def test_import_gives_the_same_gallery(gallery, rng, tmp_path):
    path = tmp_path / "team.json"
    gallery.export_json(path)
    imported = Gallery.import_json(path)
    assert imported.spec == gallery.spec
    assert imported.policy == gallery.policy
    assert imported.renewal is None
    assert imported.secret is None
    assert imported.count("Ada") == 3
    probes = unit(rng.normal(size=(5, 16)))
    for a, b in zip(gallery.identify(probes), imported.identify(probes), strict=True):
        assert a.name == b.name
        assert a.score == pytest.approx(b.score, abs=1e-6)
    imported.export_json(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == path.read_bytes()


def test_a_name_that_is_no_text_goes_and_comes(spec, photos, tmp_path):
    name = os.fsdecode(b"M\xfcller")  # a folder's, as an archive from elsewhere unpacks
    gallery = Gallery(spec)
    gallery.enroll(name, photos["Ada"])
    gallery.export_json(tmp_path / "team.json")
    assert json.loads((tmp_path / "team.json").read_text(encoding="utf-8"))["people"][0]["name"] == name
    assert Gallery.import_json(tmp_path / "team.json").names == [name]


def test_an_empty_gallery_goes_and_comes(spec, tmp_path):
    Gallery(spec).export_json(tmp_path / "empty.json")
    assert len(Gallery.import_json(tmp_path / "empty.json")) == 0


def test_documents_that_are_no_gallery_are_refused(gallery, tmp_path):
    path = tmp_path / "team.json"
    gallery.export_json(path)
    good = json.loads(path.read_text(encoding="utf-8"))
    ada = good["people"][0]
    wrong = [
        {**good, "kerasface_gallery": 2},
        [good],
        {"kerasface_gallery": 1},
        {**good, "policy": "median"},
        {**good, "spec": {"name": "x"}},
        {**good, "people": [{**ada, "templates": [[0.5] * 15]}]},
        {**good, "people": [{**ada, "templates": [[2.0] * 16] * len(ada["templates"])}]},
        {**good, "people": [{**ada, "templates": [[float("nan")] * 16] * len(ada["templates"])}]},
        {**good, "people": [{**ada, "templates": [["a"] * 16] * len(ada["templates"])}]},
        {**good, "people": [{**ada, "templates": ada["templates"] * 2}]},
        {**good, "people": [{**ada, "photos": 0}]},
        {**good, "people": [{**ada, "photos": True}]},
        {**good, "people": [{**ada, "name": " "}]},
        {**good, "people": [ada, ada]},
    ]
    for document in wrong:
        path.write_text(json.dumps(document), encoding="utf-8")
        with pytest.raises(KerasfaceError, match=r"no gallery in JSON|can't be read"):
            Gallery.import_json(path)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(KerasfaceError, match="no JSON text"):
        Gallery.import_json(path)
    with pytest.raises(KerasfaceError, match="can't read"):
        Gallery.import_json(tmp_path / "gone.json")
    with pytest.raises(KerasfaceError, match="can't write"):
        gallery.export_json(path / "below")
