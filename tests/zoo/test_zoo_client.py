"""The client against a real server on this machine that truncates, corrupts, stalls, redirects and refuses."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import types

import pytest

from kerasface.edge.metadata import read_spec, sidecar_path
from kerasface.errors import KerasfaceError
from kerasface.zoo import bases, download, find, get, list_models
from kerasface.zoo.bases import Base
from kerasface.zoo.manifest import Manifest
from tests.zoo.zoo_server import CONTENT, NAME, SHA256, SPEC, manifest, running_zoo


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and a package that carries nothing."""
    monkeypatch.setenv("KERASFACE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(bases, "SHIPPED", tmp_path / "shipped")
    monkeypatch.delenv("KERASFACE_ZOO", raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache"


@pytest.fixture
def zoo(cache, monkeypatch):
    monkeypatch.setattr("pooch.core.time", types.SimpleNamespace(sleep=lambda _: None))  # it waits between tries
    with running_zoo() as zoo:
        monkeypatch.setenv("KERASFACE_ZOO", zoo.address)
        yield zoo


def files_of(cache):
    """What lies in the cache, locks left out."""
    return sorted(path.name for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock")


def test_a_file_comes_whole_with_its_sidecar(zoo):
    seen = []
    path = get(NAME, progress=lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert read_spec({}, CONTENT, path) == SPEC
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_second_time_nothing_is_fetched(zoo):
    assert get(NAME) == get(NAME)
    assert zoo.asked == [0]


def test_offline_the_cache_is_enough(zoo, monkeypatch):
    path = get(NAME)
    zoo.shutdown()
    zoo.server_close()
    assert get(NAME) == path
    assert list(list_models("*test*")) == [NAME]


def test_a_cache_that_cannot_be_written_is_told_when_a_file_needs_it(zoo, cache):
    cache.write_bytes(b"a file where the folder should be")
    assert list(list_models("*test*")) == [NAME]
    with pytest.raises(KerasfaceError, match="can't bring .*Set KERASFACE_CACHE to a folder that you may write to"):
        get(NAME)


def test_a_broken_transfer_goes_on_where_it_broke(zoo):
    zoo.faults = ["truncate", "truncate"]
    assert get(NAME).read_bytes() == CONTENT
    half = len(CONTENT) // 2
    assert zoo.asked == [0, half, half + half // 2]


def test_what_came_is_kept_for_the_next_call(zoo, cache):
    zoo.faults = ["truncate"] + [500] * download._RETRIES
    with pytest.raises(
        KerasfaceError, match=r"can't fetch .* says 500 Internal Server Error. Whatever has come is kept"
    ):
        get(NAME)
    assert not list(cache.rglob("*.tflite"))
    zoo.asked.clear()
    assert get(NAME).read_bytes() == CONTENT
    assert zoo.asked == [len(CONTENT) // 2]


def test_a_transfer_that_breaks_at_every_try_is_told(zoo):
    zoo.faults = ["truncate"] * (1 + download._RETRIES)
    with pytest.raises(KerasfaceError, match=r"broke off \(IncompleteRead.*Whatever has come is kept: run it again"):
        get(NAME)
    assert get(NAME).read_bytes() == CONTENT


def test_a_host_without_ranges_begins_anew(zoo):
    zoo.ranges = False
    zoo.faults = ["truncate"]
    assert get(NAME).read_bytes() == CONTENT


def test_silence_is_a_broken_transfer(zoo, monkeypatch):
    monkeypatch.setattr(download, "_SILENCE", 0.2)
    zoo.faults = ["stall"]
    assert get(NAME).read_bytes() == CONTENT
    assert len(zoo.asked) == 2


def test_a_redirect_is_followed(zoo):
    zoo.faults = ["redirect"]
    assert get(NAME).read_bytes() == CONTENT


@pytest.mark.parametrize("status", [404, 403, 410])
def test_what_a_host_refuses_is_not_asked_for_again(zoo, status, cache):
    zoo.faults = [status]
    with pytest.raises(KerasfaceError, match=rf"the host says {status} "):
        get(NAME)
    assert zoo.asked == [0]
    assert not list(cache.rglob("*.tflite"))


@pytest.mark.parametrize("faults", [[500, 503], [408, 429]])
def test_a_passing_error_of_the_host_is_outlived(zoo, faults):
    zoo.faults = faults
    assert get(NAME).read_bytes() == CONTENT


def test_damage_on_the_way_is_fetched_again(zoo):
    zoo.faults = ["corrupt"]
    assert get(NAME).read_bytes() == CONTENT


def test_an_exchanged_file_is_never_used(zoo, cache):
    zoo.content = b"\1" + CONTENT[1:]
    with pytest.raises(KerasfaceError, match=rf"its sha256 isn't {SHA256[:16]}….*damaged or exchanged"):
        get(NAME)
    assert not [name for name in files_of(cache) if name.endswith(".tflite")]


def test_a_file_that_is_too_long_is_cut_off(zoo, cache):
    zoo.content = CONTENT * 3
    with pytest.raises(KerasfaceError, match=rf"is longer than the {len(CONTENT):,} bytes"):
        get(NAME)
    assert not list(cache.rglob("*.part"))


def test_a_cached_file_that_changed_is_fetched_again(zoo):
    path = get(NAME)
    path.write_bytes(b"other")
    assert get(NAME).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "path", ["../../../evil", "/etc/evil", "a/../../evil", "C:\\evil", "..", "", "a\\..\\b", "a\nb", "x?y"]
)
def test_a_path_that_leaves_the_cache_is_refused(path, zoo, cache):
    zoo.tree = manifest(path=path)
    with pytest.raises(KerasfaceError, match=f"{NAME}: not a zoo's manifest: expected a relative path inside the zoo"):
        get(NAME)
    assert files_of(cache) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not a zoo's manifest"),
        ("[]", "not a zoo's manifest"),
        (json.dumps(manifest()).replace("nothing", "caf\udce9"), "not a zoo's manifest: 'utf-8' codec can't decode"),
        ('{"format": 2, "models": {}}', "of format 2, this kerasface reads 1: upgrade"),
        ('{"format": 1}', "missing field 'models'"),
        (json.dumps(manifest(sha256="12")), "expected a sha256 of 64"),
        (json.dumps(manifest(size=0)), "expected a size in bytes"),
        (json.dumps(manifest(size="3")), "expected a size in bytes"),
        (json.dumps(manifest(more=1)), "unexpected keyword argument 'more'"),
        (json.dumps(manifest()).replace(f'"{NAME}":', '"../evil.x":', 1), "expected a name such as"),
        (json.dumps(manifest()).replace("tflite-fp16", "TF/lite"), "expected a format such as"),
        (json.dumps(manifest()).replace(f'"name": "{NAME}"', '"name": "other.name"'), "expected the spec of"),
    ],
)
def test_a_manifest_that_is_none_is_refused(text, message, zoo):
    zoo.text = text
    with pytest.raises(KerasfaceError, match=message):
        list_models()


def test_a_manifest_that_is_not_utf_8_is_refused_wherever_it_lies(zoo, cache, tmp_path, monkeypatch):
    list_models()
    (copy,) = (cache / "manifests").iterdir()
    zoo.shutdown()
    zoo.server_close()
    for path in (copy, tmp_path / "manifest.json"):
        path.write_bytes(json.dumps(manifest()).encode().replace(b"nothing", b"caf\xe9"))
        with pytest.raises(KerasfaceError, match=rf"{path.name}: not a zoo's manifest: 'utf-8' codec can't decode"):
            list_models()
        monkeypatch.setenv("KERASFACE_ZOO", tmp_path.as_uri())


def test_a_manifest_comes_back_from_its_json():
    first = Manifest.from_json(json.dumps(manifest()), "here")
    assert Manifest.from_json(first.to_json(), "there") == first


def test_unknown_names_and_formats_say_what_there_is(zoo):
    with pytest.raises(KerasfaceError, match=f"no embedder 'no.such' in the zoo. There is: {NAME}"):
        find("no.such")
    with pytest.raises(KerasfaceError, match="is there as tflite-fp16. Received: format='onnx'.*kerasface export"):
        get(NAME, "onnx")


def test_a_cache_that_can_not_be_written_names_the_way_out(zoo, cache, monkeypatch):
    cache.write_text("a file, where the folder should be")
    monkeypatch.setattr(Base, "manifest", lambda self: Manifest.from_json(json.dumps(manifest()), "here"))
    with pytest.raises(KerasfaceError, match="Set KERASFACE_CACHE to a folder that you may write to"):
        get(NAME)


def test_a_folder_serves_as_a_host_does(cache, tmp_path, monkeypatch):
    folder = tmp_path / "a zoo" / NAME
    folder.mkdir(parents=True)
    (folder / "fp16.tflite").write_bytes(CONTENT)
    (folder.parent / "manifest.json").write_text(json.dumps(manifest()))
    monkeypatch.setenv("KERASFACE_ZOO", (tmp_path / "a zoo").as_uri())
    assert get(NAME).read_bytes() == CONTENT
    (folder / "fp16.tflite").write_bytes(b"other")
    shutil.rmtree(cache)
    with pytest.raises(KerasfaceError, match="is not the file that the manifest names"):
        get(NAME)
    (folder / "fp16.tflite").unlink()
    with pytest.raises(KerasfaceError, match="there is no .*fp16.tflite, which the manifest names"):
        get(NAME)
    (folder.parent / "manifest.json").unlink()
    with pytest.raises(KerasfaceError, match="KERASFACE_ZOO names no zoo: there is no .*manifest.json"):
        list_models()


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("hf://org/repo", "https://huggingface.co/org/repo/resolve/main/"),
        ("https://host.example/zoo", "https://host.example/zoo/"),
        ("http://localhost:8000", "http://localhost:8000/"),
    ],
)
def test_addresses(address, url):
    assert Base(address).url == url
    assert Base(address).location("a b/c.tflite") == url + "a%20b/c.tflite"


@pytest.mark.parametrize("address", ["http://host.example/zoo", "ftp://host/zoo", "zoo", "hf://org", "file://host/zoo"])
def test_addresses_that_are_none(address):
    with pytest.raises(KerasfaceError, match="KERASFACE_ZOO must be file:///folder, https://"):
        Base(address)


@pytest.mark.parametrize("password", ["sesame@[bad", "/sesame@host", "8/sesame@host", "#sesame@host", "a?sesame@host"])
def test_an_address_that_cannot_be_read_is_told(password):
    with pytest.raises(KerasfaceError, match="KERASFACE_ZOO is no address: its host can't be read") as told:
        Base(f"https://ann:{password}/zoo")
    assert "sesame" not in str(told.value)


def test_a_password_in_an_address_is_refused_and_not_told():
    with pytest.raises(KerasfaceError, match="carries a name or a password for host.example: .*netrc") as told:
        Base("https://ann:sesame@host.example/zoo")
    assert "sesame" not in str(told.value)
    for mistyped in ("https:/ann:sesame@host.example/zoo", "ann:sesame@host.example/zoo"):
        with pytest.raises(KerasfaceError, match=r"must be .* Received: host\.example/zoo$") as told:
            Base(mistyped)
        assert "sesame" not in str(told.value)


@pytest.mark.parametrize(
    ("address", "proxy", "why"),
    [
        ("http://127.0.0.1:1/zoo", None, r"127.0.0.1:1 is not to be reached, or broke off \(Connection refused\)"),
        ("https://nowhere.invalid/zoo", None, "no host nowhere.invalid is known: it is mistyped, or the network"),
        ("https://nowhere.invalid/zoo", "http://127.0.0.1:1", "the proxy on the way to nowhere.invalid .*HTTPS_PROXY"),
    ],
)
def test_a_host_that_never_answered_is_named(address, proxy, why, cache, monkeypatch):
    monkeypatch.setenv("KERASFACE_ZOO", address)
    monkeypatch.setenv("HTTPS_PROXY", proxy or "")
    monkeypatch.delenv("https_proxy", raising=False)
    with pytest.raises(KerasfaceError, match=f"can't read the zoo's manifest {address}/manifest.json: {why}"):
        list_models()


def test_why_a_host_that_is_there_gave_no_manifest(zoo, monkeypatch):
    host = zoo.address.removeprefix("http://").removesuffix("/zoo")
    monkeypatch.setenv("KERASFACE_ZOO", f"http://{host}/elsewhere")
    zoo.faults = [404]
    with pytest.raises(KerasfaceError, match=f"manifest.json: {host} says 404 Not Found. What the package carries"):
        list_models()
    # A host that speaks no TLS: whoever it is, nothing is taken from it.
    monkeypatch.setenv("KERASFACE_ZOO", f"https://{host}/zoo")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(KerasfaceError, match=f"{host} can't prove that it is that host"):
        list_models()
    monkeypatch.setattr(bases, "_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setenv("KERASFACE_ZOO", f"http://127.0.0.1:{port}")
        with pytest.raises(KerasfaceError, match=f"manifest.json: 127.0.0.1:{port} doesn't answer"):
            list_models()


ASK = "from kerasface.zoo import get; print(get({!r}).read_bytes().__len__())"


def started(cache, zoo):
    environment = {**os.environ, "KERASFACE_CACHE": str(cache), "KERASFACE_ZOO": zoo.address}
    command = [sys.executable, "-c", ASK.format(NAME)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_several_processes_share_one_transfer(cache):
    with running_zoo() as zoo:
        zoo.faults = ["slow"]
        processes = [started(cache, zoo) for _ in range(4)]
        results = [process.communicate(timeout=60) for process in processes]
        assert [out.strip() for out, _ in results] == [str(len(CONTENT))] * 4, results
        assert zoo.asked == [0]


def test_a_killed_process_leaves_a_part_that_the_next_one_finishes(cache):
    with running_zoo() as zoo:
        zoo.faults = ["slow"]
        process = started(cache, zoo)
        deadline = time.monotonic() + 30
        while not any(part.stat().st_size for part in cache.rglob("*.part")) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not list(cache.rglob("*.tflite"))
        out, err = started(cache, zoo).communicate(timeout=60)
        assert out.strip() == str(len(CONTENT)), err
        assert len(zoo.asked) == 2
        assert 0 < zoo.asked[1] < len(CONTENT)
        path = next(cache.rglob("*.tflite"))
        assert path.read_bytes() == CONTENT
        assert sidecar_path(path).is_file()
