"""Lists of faces: CSV and Parquet say the same, spans are cut exactly, and lines that lie are named."""

import shutil
import subprocess
import sys

import numpy as np
import pytest

from kerasface.data import FaceSource, open_faces, read_folder, read_list, read_record_file, write_list
from kerasface.errors import KerasfaceError
from tests.data.conftest import LATIN_1
from tests.data.test_record_file import contents, frame, header, image, write

ROWS = [("b/2.jpg", "Müller, Ann"), ("a/1.jpg", "10"), ("b/3.jpg", "Müller, Ann"), ("c 4.jpg", "9")]


def as_csv(folder):
    lines = "".join(f'{path},"{label}"\r\n' for path, label in ROWS)
    (folder / "list.csv").write_text("\ufeffpath,label\r\n" + lines, encoding="utf-8", newline="")
    return folder / "list.csv"


def as_parquet(folder):
    import pyarrow
    import pyarrow.parquet

    paths, labels = map(list, zip(*ROWS, strict=True))
    table = pyarrow.table({"label": labels, "score": [1.0] * 4, "path": paths})
    pyarrow.parquet.write_table(table, folder / "list.parquet")
    return folder / "list.parquet"


@pytest.mark.parametrize("make", [as_csv, as_parquet])
def test_reads_paths_and_labels_in_the_lists_order(make, tmp_path):
    faces = read_list(make(tmp_path))
    assert faces.names == ("10", "9", "Müller, Ann")
    np.testing.assert_array_equal(faces.labels, [2, 0, 2, 1])
    assert [str(photo) for photo in faces.photos] == [str(tmp_path / path) for path, _ in ROWS]


def test_numbers_in_a_table_are_names_too(tmp_path):
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table({"label": [3, 10, 3], "path": ["a", "b", "c"]})
    pyarrow.parquet.write_table(table, tmp_path / "list.parquet")
    assert read_list(tmp_path / "list.parquet").names == ("10", "3")


def test_absolute_paths_stay(tmp_path):
    (tmp_path / "list.csv").write_text(f"label,path\nx,{tmp_path / 'elsewhere' / 'a.jpg'}\n")
    assert read_list(tmp_path / "list.csv").files == (str(tmp_path / "elsewhere" / "a.jpg"),)


def test_a_written_list_is_read_from_its_own_folder(faces_root, tmp_path):
    faces = read_folder(faces_root).take([13, 2, 3])
    write_list(faces, tmp_path / "sub" / "keep.csv")
    assert (tmp_path / "sub" / "keep.csv").read_text().splitlines()[0] == "path,label"
    found = read_list(tmp_path / "sub" / "keep.csv")
    assert contents(found) == contents(faces)
    assert [found.names[label] for label in found.labels] == ["person_0003", "person_0001", "person_0001"]


def test_a_list_in_a_linked_folder_finds_its_photos(faces_root, tmp_path):
    (tmp_path / "disk" / "large" / "runs").mkdir(parents=True)
    (tmp_path / "runs").symlink_to(tmp_path / "disk" / "large" / "runs", target_is_directory=True)
    faces = read_folder(faces_root)
    write_list(faces, tmp_path / "runs" / "keep.csv")
    for folder in ("runs", "disk/large/runs"):
        assert contents(read_list(tmp_path / folder / "keep.csv")) == contents(faces)
    # Photos beside the list are named as before: both may move together.
    shutil.copytree(faces_root, tmp_path / "runs" / "faces")
    write_list(read_folder(tmp_path / "runs" / "faces"), tmp_path / "runs" / "keep.csv")
    assert "\nfaces/person_0000/00000.png,person_0000\n" in (tmp_path / "runs" / "keep.csv").read_text()


def test_a_folder_that_cannot_be_written_is_named(faces_root, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(KerasfaceError, match=r"can't write .*keep\.csv"):
        write_list(read_folder(faces_root), tmp_path / "file" / "keep.csv")


@pytest.mark.parametrize(("name", "path"), [("a", f"{LATIN_1}/1.png"), (LATIN_1, "a/1.png")])
def test_what_a_list_cannot_hold_is_refused(name, path, tmp_path):
    faces = FaceSource.of_files((name,), [0], [tmp_path / path])
    with pytest.raises(KerasfaceError, match=r"names in UTF-8. Received: '.*Andr\\udce9.*'. Rename"):
        write_list(faces, tmp_path / "keep.csv")
    assert not list(tmp_path.iterdir())


def test_photos_in_pieces_keep_them(tmp_path):
    parts = frame(header(label=2) + b"four", 1) + frame(b"end", 3)
    faces = read_record_file(write(tmp_path, image(1, b"x"), parts))
    write_list(faces, tmp_path / "list.csv")
    found = read_list(tmp_path / "list.csv")
    assert contents(found) == contents(faces)
    assert len(contents(found)[1]) == 4 + 4 + 3


def test_photos_that_begin_alike_are_told_apart_by_their_length(tmp_path):
    (tmp_path / "blob").write_bytes(bytes(range(100)))
    rows = ["blob,a,0+10", "blob,b,0+5", "blob,c,50+4 60+2", "blob,d,50+4 60+2", "blob,e,50+1 60+2"]
    (tmp_path / "list.csv").write_text("path,label,bytes\n" + "\n".join(rows))
    pieces = [range(10), range(5), *[[50, 51, 52, 53, 60, 61]] * 2, [50, 60, 61]]
    assert contents(read_list(tmp_path / "list.csv")) == [bytes(piece) for piece in pieces]


@pytest.mark.parametrize(
    ("first", "second", "line"),
    [("0+10", "0+10 20+5", 2), ("0+10 20+5", "0+10", 3), ("0+10 20+5", "0+10 20+4", 3), ("0+10 20+5", "", 3)],
)
def test_photos_that_begin_alike_and_go_on_differently_are_refused(first, second, line, tmp_path):
    (tmp_path / "blob").write_bytes(bytes(range(100)))
    (tmp_path / "list.csv").write_text(f"path,label,bytes\nblob,a,{first}\nblob,b,{second}\n")
    with pytest.raises(KerasfaceError, match=rf"line {line}: this photo and that of line {5 - line} begin at one byte"):
        read_list(tmp_path / "list.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column label or path"),
        ("path,label\n", "lists no photos"),
        ("path,name\na,b\n", r"has no column label: .* Received: path, name"),
        ("path,label\na,x\n,y\n", r"line 3: expected a path and a label\. Received: '', 'y'"),
        ("path,label\na,x\nb\n", r"line 3: .*Received: 'b', ''"),
        ('path,label\n"a,x\n', "is no CSV in UTF-8"),
        (b"path,label\n\xff\xfe,x\n", "is no CSV in UTF-8"),
        ("path,label,bytes\nlist.csv,x,5+10\nlist.csv,x,nonsense\n", r"line 3: bytes reads offset\+length"),
        ("path,label,bytes\nlist.csv,x,5+1000\n", r"line 2: the file has 35 bytes\. Received: 1000 bytes at 5"),
        ("path,label,bytes\nlist.csv,x,-5+10\n", r"line 2: bytes reads offset\+length\. Received: '-5\+10'"),
        ("path,label,bytes\nlist.csv,x,5+0\n", "Received: 0 bytes at 5"),
        ("path,label,bytes\nlist.csv,x," + "9" * 30 + "+1\n", "bytes reads"),
        ("path,label,bytes\ngone.rec,x,5+1\n", r"line 2: no file .*gone\.rec: No such file"),
    ],
)
def test_a_list_that_lies_is_an_error(text, message, tmp_path):
    (tmp_path / "list.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(KerasfaceError, match=message):
        open_faces(tmp_path / "list.csv")


def test_files_that_are_no_tables_are_named(tmp_path):
    (tmp_path / "list.parquet").write_bytes(b"PAR1 but no more")
    with pytest.raises(KerasfaceError, match=r"can't read .*list\.parquet as Parquet"):
        open_faces(tmp_path / "list.parquet")
    for name in ("gone.csv", "gone.parquet"):
        with pytest.raises(KerasfaceError, match=f"{name}.*No such file"):
            open_faces(tmp_path / name)


def test_without_pyarrow_the_way_out_is_named(tmp_path):
    as_parquet(tmp_path)
    code = (
        "import sys; sys.modules['pyarrow'] = None\nfrom kerasface.data import read_list\n"
        "try:\n    read_list(sys.argv[1])\nexcept Exception as error:\n    print(type(error).__name__, error)\n"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path / "list.parquet")]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert "KerasfaceError" in done.stdout
    assert "pip install 'kerasface[parquet]'" in done.stdout
