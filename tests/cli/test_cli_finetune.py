"""finetune: from raw photos of people to a model and a report."""

import json
import shutil

import keras
import numpy as np
from PIL import Image

from kerasface import FaceModel, backbones
from kerasface.data import render_identities
from kerasface.export import embedder_spec, load_trained
from kerasface.export.metadata import write_sidecar


def test_photos_are_aligned_trained_on_and_reported(kerasface, fetched_assets, tmp_path):
    images, labels = render_identities(24, 6, seed=5)
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = tmp_path / "photos" / f"P{label:02d}" / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        # As a camera sees it: larger, and with something around the face.
        photo = np.full((360, 300, 3), 120, np.uint8)
        photo[60:284, 30:254] = np.asarray(Image.fromarray(image).resize((224, 224)))
        Image.fromarray(photo).save(path)
    # Left out: damaged, of a kind that isn't read, nobody's.
    (tmp_path / "photos" / "P00" / "!.jpg").write_text("not found")
    (tmp_path / "photos" / "P00" / "x.heic").touch()
    shutil.copy(path, tmp_path / "photos" / "group.png")
    keras.utils.set_random_seed(1)
    model = FaceModel(backbones.get("mobilefacenet", width=0.125, embedding_dim=16))
    model.save(tmp_path / "fresh.keras")
    write_sidecar(tmp_path / "fresh.keras", embedder_spec(model, name="mobilefacenet.fresh"))
    out = tmp_path / "run"
    code, printed, err = kerasface(
        "finetune", tmp_path / "fresh.keras", "--data", tmp_path / "photos", "--out", out, "--epochs", "1"
    )
    assert code == 0, err
    assert "faces of 146 photos (" in printed
    assert f"unreadable 1); which: {out / 'aligned' / 'align.jsonl'}\n" in printed
    assert "left out 1 photo of kinds that aren't read; save them as JPEG or PNG: P00/x.heic\n" in err
    assert "left out 1 photo beside or below people's folders instead of in them: " in err
    assert f"{out / 'aligned' / 'group.jpg'}\n" in err
    assert (out / "aligned" / "align.jsonl").is_file()
    report = json.loads((out / "report.json").read_text())
    assert report["name"] == "mobilefacenet.fresh_finetuned"
    assert report["trained_people"] + report["tested_people"] < 24
    page = (out / "report.md").read_text()
    assert "| members recognised |" in page
    assert page.splitlines()[0] in printed
    assert Image.open(out / "report.png").size[0] > 500
    assert load_trained(out / "best.keras")[1].name == "mobilefacenet.fresh_finetuned"

    # Somebody withdraws, and the photos are deleted: the crops of the run before are not trained on.
    shutil.rmtree(tmp_path / "photos" / "P03")
    code, _, err = kerasface("finetune", tmp_path / "fresh.keras", "--data", tmp_path / "photos", "--out", out)
    assert code == 2
    assert "also holds crops of 6 photos that" in err
    assert "P03/" in err
