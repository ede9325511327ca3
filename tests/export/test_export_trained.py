import zipfile

import h5py
import pytest

from kerasface.errors import KerasfaceError
from kerasface.export import load_trained


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
