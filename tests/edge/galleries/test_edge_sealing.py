import importlib
import os
import sys

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from kerasface.edge import Gallery, Secret, new_key_file
from kerasface.edge.galleries.sealing import SEALED_MAGIC, open_sealed, seal
from kerasface.errors import KerasfaceError

KEY = Secret("key file", bytes(range(32)))
NAMES = ("Ada Lovelace", "Grace Hopper")


@pytest.fixture
def gallery(spec, rng):
    gallery = Gallery(spec.replace(embedding_size=4, thresholds=()), secret=KEY)
    for name in NAMES:
        x = rng.normal(size=4)
        gallery.enroll(name, x / sum(x**2) ** 0.5)
    return gallery


def test_the_envelope_is_what_its_description_says():
    """Opened with the cryptography package alone, by the layout in the module's docstring."""
    for secret in (KEY, Secret.passphrase("correct horse")):
        sealed = seal(b"content", secret)
        assert sealed[:10] == b"KFSEALED1\n"
        letter, salt, nonce, ciphertext = sealed[10:11], sealed[11:43], sealed[43:55], sealed[55:]
        if letter == b"P":
            key = Scrypt(salt=salt, length=32, n=65536, r=8, p=2).derive(b"correct horse")
        else:
            key = HKDF(SHA256(), 32, salt, b"kerasface gallery encryption 1").derive(bytes(range(32)))
        assert ChaCha20Poly1305(key).decrypt(nonce, ciphertext, sealed[:55]) == b"content"


def test_nothing_is_readable_and_no_two_files_are_alike(gallery, tmp_path):
    gallery.save(tmp_path / "a")
    gallery.save(tmp_path / "b")
    first, second = (tmp_path / "a").read_bytes(), (tmp_path / "b").read_bytes()
    for word in (b"Ada", b"Grace", b"names", b"KFGALLERY", gallery.spec.name.encode()):
        assert word not in first
    assert first[11:55] != second[11:55]
    assert first[55:] != second[55:]
    assert Gallery.load(tmp_path / "a", secret=KEY).names == sorted(NAMES)


def test_every_flipped_bit_is_an_error_without_names(gallery, tmp_path):
    path = tmp_path / "team.kfg"
    gallery.save(path)
    content = path.read_bytes()
    for position in range(len(content)):
        for bit in range(8):
            damaged = bytearray(content)
            damaged[position] ^= 1 << bit
            if position < 10 or bit == position % 8:
                path.write_bytes(damaged)
                with pytest.raises(KerasfaceError) as error:
                    Gallery.load(path, secret=KEY)
            else:  # the same without the file
                with pytest.raises(KerasfaceError) as error:
                    open_sealed(bytes(damaged), KEY, path)
            assert not any(name.split()[0] in str(error.value) for name in NAMES)


def test_every_cut_and_every_appended_byte_is_an_error(gallery, tmp_path):
    path = tmp_path / "team.kfg"
    gallery.save(path)
    content = path.read_bytes()
    for damaged in [content[:length] for length in range(len(content))] + [content + b"\0"]:
        path.write_bytes(damaged)
        with pytest.raises(KerasfaceError):
            Gallery.load(path, secret=KEY)


def test_a_wrong_or_a_missing_secret_opens_nothing(gallery, tmp_path):
    path = tmp_path / "team.kfg"
    gallery.save(path)
    with pytest.raises(KerasfaceError, match="can't be decrypted: it is the wrong key file"):
        Gallery.load(path, secret=Secret("key file", bytes(range(1, 33))))
    with pytest.raises(KerasfaceError, match=r"encrypted: give its key file \(--key-file FILE"):
        Gallery.load(path)
    with pytest.raises(KerasfaceError, match="encrypted with a key file. Received: a passphrase"):
        Gallery.load(path, secret=Secret.passphrase("correct horse"))
    gallery.secret = Secret.passphrase("correct horse")
    gallery.save(path)
    assert len(Gallery.load(path, secret=Secret.passphrase("correct horse"))) == 2
    with pytest.raises(KerasfaceError, match="can't be decrypted: it is the wrong passphrase"):
        Gallery.load(path, secret=Secret.passphrase("correct horses"))
    with pytest.raises(KerasfaceError, match="--passphrase-file FILE"):
        Gallery.load(path)


def test_what_was_loaded_encrypted_is_saved_encrypted(gallery, tmp_path):
    path = tmp_path / "team.kfg"
    gallery.save(path)
    loaded = Gallery.load(path, secret=KEY)
    loaded.remove(NAMES[0])
    loaded.save(path)
    assert path.read_bytes().startswith(SEALED_MAGIC)
    assert Gallery.load(path, secret=KEY).names == [NAMES[1]]


def test_a_file_in_clear_is_not_taken_for_an_encrypted_one(gallery, tmp_path):
    gallery.secret = None
    gallery.save(tmp_path / "team.kfg")
    with pytest.raises(KerasfaceError, match=r"is not encrypted, though a key file is given.*replaced"):
        Gallery.load(tmp_path / "team.kfg", secret=KEY)


def test_a_newer_envelope_is_refused_with_the_way_out(tmp_path):
    (tmp_path / "later").write_bytes(b"KFSEALED2\n" + bytes(100))
    with pytest.raises(KerasfaceError, match="newer kerasface; upgrade"):
        Gallery.load(tmp_path / "later", secret=KEY)


def test_passphrases_come_from_a_file_of_one_line(tmp_path):
    path = tmp_path / "passphrase"
    for content in (b"h\xc3\xa9 ho\n", b"h\xc3\xa9 ho", b"he\xcc\x81 ho\r\n"):
        path.write_bytes(content)
        assert Secret.passphrase_file(path).content == "hé ho".encode()
    for content in (b"", b"\n", b"one\ntwo\n", b"\xff\xfe"):
        path.write_bytes(content)
        with pytest.raises(KerasfaceError, match="passphrase"):
            Secret.passphrase_file(path)
    for content, received in ((b"", "0 lines"), (b"\n", "a blank one"), (b"one\ntwo\n", "2 lines")):
        path.write_bytes(content)
        with pytest.raises(KerasfaceError, match=f"Received: {received}$"):
            Secret.passphrase_file(path)
    with pytest.raises(KerasfaceError, match="can't read the passphrase file.*of one line, which you write"):
        Secret.passphrase_file(tmp_path / "gone")
    with pytest.raises(ValueError, match="at least one character"):
        Secret.passphrase("")


def test_a_secrets_text_does_not_show_it():
    assert "horse" not in repr(Secret.passphrase("correct horse"))


def test_key_files_are_new_random_and_never_overwritten(tmp_path):
    first, second = tmp_path / "a.key", tmp_path / "b.key"
    for path in (first, second):
        new_key_file(path)
        assert len(path.read_bytes()) == 32
        assert os.name == "nt" or path.stat().st_mode & 0o777 == 0o600
    assert first.read_bytes() != second.read_bytes()
    before = first.read_bytes()
    with pytest.raises(KerasfaceError, match="never overwritten"):
        new_key_file(first)
    assert first.read_bytes() == before
    with pytest.raises(KerasfaceError, match="can't write the key file"):
        new_key_file(tmp_path / "gone" / "a.key")
    for size in (0, 31, 4097):
        first.write_bytes(bytes(size))
        with pytest.raises(KerasfaceError, match=f"32 to 4096 random bytes.*with {size} bytes"):
            Secret.key_file(first)
    with pytest.raises(KerasfaceError, match="can't read the key file"):
        Secret.key_file(tmp_path / "gone")


def test_a_key_file_that_could_not_be_written_takes_no_name(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KerasfaceError, match="can't write the key file .*No space left"):
        new_key_file(tmp_path / "team.key")
    monkeypatch.undo()
    new_key_file(tmp_path / "team.key")
    assert len((tmp_path / "team.key").read_bytes()) == 32


def test_without_the_package_the_way_out_is_said(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(KerasfaceError, match=r"pip install 'kerasface\[encrypted\]'"):
        seal(b"", KEY)


def test_a_secret_is_needed_even_where_the_package_is_missing():
    with pytest.raises(KerasfaceError, match="give its key file"):
        open_sealed(seal(b"", KEY), None, "team.kfg")


def test_a_secret_without_the_package_is_refused_before_any_work(monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    with pytest.raises(KerasfaceError, match=r"kerasface\[encrypted\]"):
        Secret.passphrase("open sesame")
