"""Fine-tuning on a folder of people, and what it says about those it did not see."""

import io
import json

import keras
import numpy as np
import pytest
from rich.console import Console

from kerasface import FaceModel, backbones
from kerasface.data import FaceSource, read_folder, read_list, split_identities, write_class_folder
from kerasface.errors import KerasfaceError
from kerasface.evaluation import members_and_strangers, represent, sample_pairs
from kerasface.export import embedder_spec, load_trained
from kerasface.export.metadata import write_sidecar
from kerasface.training import FinetuneReport, finetune, finetuning
from kerasface.training.finetune_page import finetune_page
from kerasface.training.trainer import HeldOutVerification
from tests.training.small_runs import SMALL, assert_same_models, silent


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """Forty people, a coarse pattern each, six images, under light that changes as much as the patterns do."""
    rng = np.random.default_rng(2)
    labels = np.repeat(np.arange(40), 6)
    patterns = rng.integers(60, 196, (40, 4, 4, 3)).repeat(8, axis=1).repeat(8, axis=2)
    noise = rng.normal(0, 25, (len(labels), 32, 32, 3)) + rng.normal(0, 35, (len(labels), 1, 1, 3))
    root = tmp_path_factory.mktemp("faces")
    write_class_folder(np.clip(patterns[labels] + noise, 0, 255).astype(np.uint8), labels, root)
    return root


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A network that has seen nothing yet, with its spec."""
    keras.utils.set_random_seed(1)
    model = FaceModel(backbones.get("spherefacenet", depth=4, **SMALL))
    path = tmp_path_factory.mktemp("fresh") / "model.keras"
    model.save(path)
    write_sidecar(
        path, embedder_spec(model, name="spherefacenet4.fresh", training_data="nothing", licence="Apache-2.0")
    )
    return path


def tuned(fresh, faces, out, **options):
    return finetune(fresh, faces, out, epochs=8, learning_rate=3e-3, console=silent(), **options)


@pytest.fixture(scope="module")
def done(fresh, faces, tmp_path_factory):
    out = tmp_path_factory.mktemp("tuned") / "run"
    return out, tuned(fresh, faces, out)


def test_it_helps_on_people_it_has_not_seen(done):
    _, report = done
    assert report.after.recognised > report.before.recognised + 0.3
    assert report.helped
    assert (report.name, report.initial) == ("spherefacenet4.fresh_finetuned", "spherefacenet4.fresh")
    # 12 of 40 set aside, since 8 would give no rate; of the other 28, 6 chose the epoch.
    assert (report.tested_people, report.tested_images) == (12, 72)
    assert (report.trained_people, report.trained_images) == (22, 132)
    assert 1 <= report.best_epoch <= 8


def test_nobody_is_on_both_sides(done, faces):
    out, _ = done
    trained, tested = read_list(out / "trained.csv"), read_list(out / "tested.csv")
    assert not set(trained.names) & set(tested.names)
    assert {*trained.names, *tested.names} == set(read_folder(faces).names)


def test_the_report_is_of_the_kept_model_and_of_the_one_before(done, fresh):
    out, report = done
    tested = read_list(out / "tested.csv")
    for path, expected in ((fresh, report.before), (out / "best.keras", report.after)):
        model, _ = load_trained(path)
        rows = represent(model.predict_on_batch, tested.photos)
        assert members_and_strangers(rows, tested.labels, fpir=0.1, seed=0) == expected
    assert FinetuneReport.from_json((out / "report.json").read_text()) == report


def test_the_model_carries_a_threshold_from_everybody_it_did_not_train_on(done):
    out, _ = done
    _, spec = load_trained(out / "best.keras")
    assert spec.name == "spherefacenet4.fresh_finetuned"
    assert spec.training_data.startswith("nothing; then 28 people of ")
    assert [threshold.far for threshold in spec.thresholds] == [1e-2, 1e-3]
    assert spec.thresholds[0].calibrated_on.startswith("18 people held out of ")
    assert spec.thresholds[0].impostor_pairs == 153 * 36


def test_an_interrupted_run_goes_on(done, fresh, faces, tmp_path):
    calls = []
    validate = HeldOutVerification.__call__

    def die_the_second_time(self, model, targets):
        calls.append(model)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return validate(self, model, targets)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HeldOutVerification, "__call__", die_the_second_time)
        with pytest.raises(KeyboardInterrupt):
            tuned(fresh, faces, tmp_path / "run")
    lists = [(tmp_path / "run" / name).read_text() for name in ("trained.csv", "tested.csv")]
    with pytest.raises(KerasfaceError, match="holds a run already: add --resume"):
        tuned(fresh, faces, tmp_path / "run", seed=9)
    assert [(tmp_path / "run" / name).read_text() for name in ("trained.csv", "tested.csv")] == lists
    assert tuned(fresh, faces, tmp_path / "run", resume=True) == done[1]
    assert_same_models(load_trained(tmp_path / "run" / "best.keras")[0], load_trained(done[0] / "best.keras")[0])


def test_a_wrong_number_is_told_before_anything_is_written(fresh, faces, tmp_path):
    with pytest.raises(KerasfaceError, match="learning_rate"):
        finetune(fresh, faces, tmp_path / "run", learning_rate=-1.0, console=silent())
    assert not (tmp_path / "run").exists()


def test_frozen_layers_stay(fresh, faces, tmp_path):
    said = io.StringIO()
    finetune(fresh, faces, tmp_path / "run", epochs=1, frozen=["stage1"], console=Console(file=said))
    assert said.getvalue().count("12 people (72 images) set aside for the report") == 1
    before, after = (load_trained(path)[0].backbone for path in (fresh, tmp_path / "run" / "best.keras"))
    same = {
        old.name: all((a == b).all() for a, b in zip(old.get_weights(), new.get_weights(), strict=True))
        for old, new in zip(before.layers, after.layers, strict=True)
        if old.weights
    }
    assert same == {name: name.startswith("stage1") for name in same}


def test_too_few_people_are_told_to_enrol_instead(fresh, rng, tmp_path):
    images = rng.integers(0, 256, (40, 32, 32, 3), dtype="uint8")
    write_class_folder(images, [row // 4 for row in range(40)], tmp_path / "few")
    with pytest.raises(KerasfaceError, match=r"60 photos of four people.*Received: people=10, photos=40\..*enrol them"):
        tuned(fresh, tmp_path / "few", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_page_says_which_model_to_keep(done):
    _, report = done
    page = finetune_page(report)
    assert f"| members recognised | {report.before.recognised:.1%} | {report.after.recognised:.1%} |" in page
    assert "Fine-tuning helped" in page
    turned = json.loads(report.to_json())
    turned["before"], turned["after"] = turned["after"], turned["before"]
    assert "keep the model that it began with" in finetune_page(FinetuneReport.from_json(json.dumps(turned)))


def test_more_people_choose_the_epoch_where_four_have_too_few_photos():
    # Two to eleven photos each. Four people are enough for the folds, but pairs want the same number from each of them.
    rng, shares = np.random.default_rng(0), set()
    for seed in range(20):
        labels = np.repeat(np.arange(16), rng.integers(2, 12, 16))
        source = FaceSource.of_files(map(str, range(16)), labels, ["photo.jpg"] * len(labels))
        share, pairs = finetuning._validation(source, seed)
        _, people = split_identities(labels, fraction=share, seed=seed)
        held_out = source.select(people).labels
        assert 2 * len(np.unique(sample_pairs(held_out, num_pairs=pairs, seed=seed, folds=2).people)) >= len(people)
        shares.add(share)
    assert min(shares) == 0.25 < max(shares)
