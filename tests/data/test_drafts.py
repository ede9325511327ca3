"""Drafts: several files appear together, or none of them does."""

import os

import pytest

from kerasface.data.drafts import draft_files


def write(*paths):
    with draft_files(*paths) as files:
        for number, file in enumerate(files):
            file.write(bytes([number]))


def test_files_have_their_names_when_the_block_ends(tmp_path):
    paths = [tmp_path / "new" / "a.rec", tmp_path / "a.idx"]
    write(*paths)
    assert [path.read_bytes() for path in paths] == [b"\0", b"\1"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.idx", "new"]


def test_a_second_file_that_cannot_be_placed_takes_the_first_back(tmp_path):
    (tmp_path / "a.idx").mkdir()  # no file takes the name of a folder
    with pytest.raises(OSError, match="directory"):
        write(tmp_path / "a.rec", tmp_path / "a.idx")
    assert [path.name for path in tmp_path.iterdir()] == ["a.idx"]


def test_a_file_that_cannot_be_replaced_stays(tmp_path, monkeypatch):
    write(tmp_path / "a.bin")

    def full_disk(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        write(tmp_path / "b.bin", tmp_path / "a.bin")
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]
    assert (tmp_path / "a.bin").read_bytes() == b"\0"
