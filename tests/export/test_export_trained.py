import zipfile

import h5py
import keras
import pytest

from kerasface import FaceModel, heads
from kerasface.errors import KerasfaceError
from kerasface.export import embedder_spec, load_trained, write_sidecar
from tests.export.samples import small_backbone


def test_a_legacy_file_that_passes_for_an_archive_is_not_opened(tmp_path):
    """HDF5 begins at the front of a file and a zip archive at its end, so that one file can be both."""
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = "{}"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", "{}")
    assert zipfile.is_zipfile(path)
    with pytest.raises(KerasfaceError, match=r"model\.h5 is no \.keras file"):
        load_trained(path)


def test_a_head_that_nobody_imported_is_named(tmp_path):
    path = tmp_path / "model.keras"

    @heads.register("forgotten")
    class Forgotten(heads.MarginHead):
        pass

    FaceModel(small_backbone(), Forgotten(3)).save(path)
    write_sidecar(path, embedder_spec(FaceModel(small_backbone()), name="small.forgotten"))
    assert load_trained(path)[0].head.num_classes == 3
    keras.saving.get_custom_objects().pop("kerasface>Forgotten")
    with pytest.raises(
        KerasfaceError, match=r"model\.keras needs Forgotten, a class of .*imports it and calls"
    ) as caught:
        load_trained(path)
    assert "\n" not in str(caught.value)

    Forgotten.__module__ = "__main__"  # as in the program that trains, or a notebook
    keras.saving.get_custom_objects()["kerasface>Forgotten"] = Forgotten
    FaceModel(small_backbone(), Forgotten(3)).save(path)
    keras.saving.get_custom_objects().pop("kerasface>Forgotten")
    with pytest.raises(
        KerasfaceError, match="needs Forgotten, a class of the program or notebook that saved it, which"
    ):
        load_trained(path)


def test_weights_of_torch_are_shown_the_way_in(tmp_path):
    path = tmp_path / "backbone.pth"
    path.write_bytes(b"PK")
    with pytest.raises(
        KerasfaceError, match=r"`kerasface zoo import .*backbone\.pth --arch … --name …` makes one of it"
    ):
        load_trained(path)


def test_other_models_of_keras_are_shown_the_way_in(tmp_path):
    for name in ("old.h5", "plain.keras"):
        small_backbone().save(tmp_path / name)
        with pytest.raises(KerasfaceError, match=r"becomes one as docs/migrating\.md shows"):
            load_trained(tmp_path / name)
