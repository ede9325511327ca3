import json
import shutil

import pytest

from kerasface.alignment import AlignmentSettings, align_packed, contact_sheet, read_log
from kerasface.alignment.packing import _pack
from kerasface.data import check_packed, open_faces
from kerasface.errors import KerasfaceError
from tests.alignment.conftest import contents

pytestmark = pytest.mark.usefixtures("fetched_assets")


@pytest.fixture(scope="module")
def packed(photos, tmp_path_factory):
    target = tmp_path_factory.mktemp("packed") / "set"
    return target, align_packed(photos, target)


def test_holds_the_trees_crops_under_their_people(packed, aligned):
    target, report = packed
    assert report == aligned[1]
    check_packed(target)
    faces = open_faces(target)
    assert faces.names == ("Grace", "Two")
    tree = contents(aligned[0])
    crops = [file for record in read_log(aligned[0]).values() for file, _ in record.files]
    assert [photo.read_bytes() for photo in faces.photos] == [tree[file] for file in crops]
    assert [faces.names[label] for label in faces.labels] == [file.split("/")[0] for file in crops]
    assert (target / "align.jsonl").read_bytes() == tree["align.jsonl"]
    assert sorted(path.name for path in target.parent.iterdir()) == ["set"]


def test_a_finished_set_is_left_alone_and_another_is_refused(packed, photos, few):
    target, report = packed
    before = contents(target)
    assert align_packed(photos, target).counts == report.counts
    for source, settings in ((few, AlignmentSettings()), (photos, AlignmentSettings(min_size_px=9))):
        with pytest.raises(KerasfaceError, match="packed sets aren't added to"):
            align_packed(source, target, settings)
    assert contents(target) == before


def test_a_run_that_ended_while_packing_goes_on(few, tmp_path, monkeypatch):
    import kerasface.alignment.packing as room

    def stop(*arguments):
        (arguments[1] / ".packed").mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr(room, "_pack", stop)
    with pytest.raises(KeyboardInterrupt):
        align_packed(few, tmp_path / "set")
    assert (tmp_path / ".set.aligning" / "Grace" / "1.jpg").is_file()
    monkeypatch.setattr(room, "_pack", _pack)
    assert align_packed(few, tmp_path / "set").done_before == 2
    assert len(open_faces(tmp_path / "set")) == 1
    assert not (tmp_path / ".set.aligning").exists()


def test_refusals(few, tmp_path):
    shutil.copy(few / "Grace" / "1.jpg", few / "loose.jpg")
    with pytest.raises(KerasfaceError, match=r"a sub-folder a person. Received: loose\.jpg"):
        align_packed(few, tmp_path / "set")
    (few / "loose.jpg").unlink()
    (few / "Grace" / "1.jpg").unlink()
    with pytest.raises(KerasfaceError, match="no face to pack"):
        align_packed(few, tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_contact_sheets_of_tree_and_packed_set_are_alike(packed, aligned, tmp_path):
    def drawn(folder):
        figure = contact_sheet(folder)
        return [(cell.get_xlabel(), cell.images[0].get_array().tobytes()) for cell in figure.axes]

    copy = tmp_path / "copy"
    shutil.copytree(aligned[0], copy)
    lines = (copy / "align.jsonl").read_text().splitlines()
    (copy / "align.jsonl").write_text("\n".join(reversed(lines)) + "\n")  # photos that came later stand last
    tree, shards = drawn(copy), drawn(packed[0])
    assert tree == shards
    assert len(tree) == 12
    assert [caption.split("\n")[0] for caption, _ in tree if "1 of 2 faces" in caption] == ["both"]


def test_contact_sheet_refuses_what_it_cannot_draw(few, tmp_path, aligned):
    with pytest.raises(KerasfaceError, match="no alignment log"):
        contact_sheet(tmp_path)
    copy = tmp_path / "copy"
    shutil.copytree(aligned[0], copy)
    (copy / "Grace" / "1.jpg").write_bytes(b"%!PS-Adobe-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    with pytest.raises(KerasfaceError, match=r"Grace/1\.jpg is a PostScript program"):
        contact_sheet(copy)
    (copy / "Grace" / "1.jpg").unlink()
    with pytest.raises(KerasfaceError, match="can't read the crop"):
        contact_sheet(copy)
    kept = [line for line in (copy / "align.jsonl").read_text().splitlines() if json.loads(line)["status"] == "none"]
    (copy / "align.jsonl").write_text("\n".join(kept) + "\n")
    with pytest.raises(KerasfaceError, match="holds no crops"):
        contact_sheet(copy)
