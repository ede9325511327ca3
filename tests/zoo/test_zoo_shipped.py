"""What the package carries: small, whole, described; and the pages that are made of it."""

import hashlib
import re
from pathlib import Path

from kerasface.export import stored_precision
from kerasface.zoo.bases import Base
from kerasface.zoo.workshop import README_MARKS, BuildRecord, card, page, shelf, summary
from kerasface.zoo.workshop.terms import data_sets_in, weights_licence

CHECKOUT = Path(__file__).resolve().parents[2]
SHIPPED = shelf.shipped_folder(CHECKOUT)
MODELS = Base(SHIPPED).manifest().models

FULL_SIZE = (
    "arcface_r50_ms1mv3",
    "cosface_r100_glint360k",
    "mobilefacenet_arcface_ms1m",
    "cosface_casia",
    "sphereface20_casia",
)


def test_the_table_is_that_of_the_manifest_and_the_recipes():
    expected = page(MODELS, sorted((CHECKOUT / "zoo" / "recipes").glob("*.yaml")))
    assert (CHECKOUT / "zoo" / "README.md").read_text(encoding="utf-8") == expected, "run python zoo/render.py"
    for path in (CHECKOUT / "zoo" / "recipes").glob("*.yaml"):
        (line,) = [line for line in expected.splitlines() if f"(recipes/{path.name})" in line]
        assert ("| not trained here | not trained here |" in line) == (path.stem in FULL_SIZE), path.stem


def test_readmes_table_is_that_of_the_manifest():
    front = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    table = front.split(README_MARKS[0])[1].split(README_MARKS[1])[0].strip()
    assert table == summary(MODELS), "run python zoo/render.py"
    accuracies = [float(value) for value in re.findall(r"\| ([\d.]+) % ±", table)]
    assert accuracies == sorted(accuracies, reverse=True)
    assert len(accuracies) == len(MODELS)


def test_a_model_fits_a_prompt():
    for model in MODELS.values():
        text = repr(model)
        assert model.name in text
        assert len(text) < 1500


def test_every_file_is_the_manifests_and_small():
    for model in MODELS.values():
        for file in model.files.values():
            content = (SHIPPED / file.path).read_bytes()
            assert (len(content), hashlib.sha256(content).hexdigest()) == (file.size, file.sha256)
            assert file.size <= shelf.MAX_FILE
            assert {one.precision for one in file.spec.thresholds} == {stored_precision(SHIPPED / file.path)}
        assert set(model.files) == {"keras", "tflite-fp16", "tflite-int8"}


def test_nothing_else_is_carried_and_all_of_it_is_small():
    expected = {"manifest.json", shelf.LICENCE} if MODELS else set()
    for name, model in MODELS.items():
        expected |= {file.path for file in model.files.values()}
        expected |= {f"{name}/{name}.{ending}" for ending in ("md", "png", "json")}
    found = {path.relative_to(SHIPPED).as_posix() for path in SHIPPED.rglob("*") if path.is_file()}
    assert found == expected
    assert sum((SHIPPED / path).stat().st_size for path in found) <= shelf.MAX_ALL
    if MODELS:
        assert (SHIPPED / shelf.LICENCE).read_text(encoding="utf-8") == weights_licence(MODELS)


def test_every_card_is_that_of_its_record():
    cards = CHECKOUT / "zoo" / "cards"
    for name, model in MODELS.items():
        record = BuildRecord.from_json((cards / f"{name}.json").read_text(encoding="utf-8"), name)
        assert record.model == model
        assert (cards / f"{name}.md").read_text(encoding="utf-8") == card(record), "run python zoo/render.py"
        for ending in ("md", "png", "json"):
            assert (cards / f"{name}.{ending}").read_bytes() == (SHIPPED / name / f"{name}.{ending}").read_bytes()


def test_the_licence_names_the_terms_of_the_data():
    names = [one.name for one in data_sets_in("CelebA, CFP and UTKFace subsets, 29,875 aligned photos")]
    assert names == ["CelebA", "CFP", "UTKFace"]
