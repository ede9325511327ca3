"""IJB-B and IJB-C: a small folder in insightface's layout of the metadata."""

import numpy as np
import pytest
from PIL import Image

from kerasface.edge.align import TEMPLATES
from kerasface.errors import KerasfaceError
from kerasface.evaluation import embed_ijb, evaluate_ijb, identify_ijb, read_ijb

_COLORS = ((200, 20, 20), (20, 200, 20), (20, 20, 200), (160, 160, 20))
_HEADINGS = "TEMPLATE_ID,SUBJECT_ID,FILENAME,SIGHTING_ID\n"


@pytest.fixture
def ijb(tmp_path, rng):
    """Template 10 s is the gallery's of subject s, 10 s + 1 a probe's; media of one and of two faces."""
    meta = tmp_path / "meta"
    meta.mkdir()
    (tmp_path / "loose_crop").mkdir()
    media, points, number = [], [], 0
    template_points = " ".join(f"{x:.2f} {y:.2f}" for x, y in TEMPLATES["arcface_112x112"].points)
    for subject, color in enumerate(_COLORS):
        for template in (10 * subject + 10, 10 * subject + 11):
            for medium in (1, 2, 2):
                number += 1
                pixels = np.clip(np.array(color) + rng.integers(-9, 9, (112, 112, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(tmp_path / "loose_crop" / f"{number}.jpg", quality=95)
                media.append(f"{number}.jpg {template} {medium}")
                points.append(f"{number}.jpg {template_points} 0.9{medium}")
    (meta / "ijbc_face_tid_mid.txt").write_text("\n".join(media) + "\n")
    (meta / "ijbc_name_5pts_score.txt").write_text("\n".join(points) + "\n")
    pairs = [(10 * a, 10 * b + 1, int(a == b)) for a in range(1, 5) for b in range(1, 5)]
    (meta / "ijbc_template_pair_label.txt").write_text("".join(f"{a} {b} {same}\n" for a, b, same in pairs))
    lines = [f"{10 * s},{s},img/1.png,7\n" for s in range(1, 5)]
    (meta / "ijbc_1N_gallery_G1.csv").write_text(_HEADINGS + "".join(lines[:2]))
    (meta / "ijbc_1N_gallery_G2.csv").write_text(_HEADINGS + "".join(lines[2:]))
    probes = "".join(f"{10 * s + 1},{s},img/{i}.png,7\n" for s in range(1, 5) for i in range(2))
    (meta / "ijbc_1N_probe_mixed.csv").write_text(_HEADINGS + probes)
    return tmp_path


def _embed(batch):
    return batch.mean(axis=(1, 2)) - 90


def test_the_metadata_are_read(ijb):
    read = read_ijb(ijb)
    assert (read.name, len(read.photos), read.numbers.tolist()) == ("IJB-C", 24, [10, 11, 20, 21, 30, 31, 40, 41])
    assert read.points[0].tolist()[2] == [56.03, 71.74]
    assert read.scores[:3].tolist() == [0.91, 0.92, 0.92]
    assert read.templates[:6].tolist() == [0] * 3 + [1] * 3
    assert (len(read.pairs), read.pairs.same.sum()) == (16, 4)
    assert read.pairs.first[:4].tolist() == [0] * 4
    assert (read.pairs.people[:, 0] == read.pairs.people[:, 1]).tolist() == read.pairs.same.tolist()
    assert read.galleries["G2"][1].tolist() == [3, 4]
    assert [column.tolist() for column in read.probes] == [[1, 3, 5, 7], [1, 2, 3, 4]]


def test_both_protocols_on_colours(ijb):
    read, seen = read_ijb(ijb), []
    templates = embed_ijb(_embed, read, flip="sum", progress=lambda *done: seen.append(done))
    assert seen[-1] == (24, 24)
    assert templates.shape == (8, 3)
    report = evaluate_ijb(templates, read, embedder="colour")
    result = report.result
    assert (result.accuracy_mean, result.auc, result.genuine_pairs, result.impostor_pairs) == (None, 1.0, 4, 12)
    assert (report.benchmark, report.groups, result.intervals.accuracy) == ("IJB-C 1:1", (), None)
    found = identify_ijb(templates, read).searches
    assert [(name, r.rank1, r.known_probes, r.unknown_probes) for name, r in found.items()] == [
        ("G1", 1.0, 2, 2),
        ("G2", 1.0, 2, 2),
    ]


def test_detector_scores_weigh_frames(ijb):
    path = ijb / "meta" / "ijbc_name_5pts_score.txt"
    lines = path.read_text().splitlines()
    # The second medium of the first template counts nothing but its first frame.
    lines[0], lines[2] = lines[0][:-4] + "0.0", lines[2][:-4] + "0.0"
    path.write_text("\n".join(lines))
    read = read_ijb(ijb)
    for row in (0, 2):
        Image.new("RGB", (112, 112), (20, 20, 220)).save(read.photos[row])
    single = _embed(np.array(Image.open(read.photos[1]))[None])
    single /= np.linalg.norm(single)
    np.testing.assert_allclose(embed_ijb(_embed, read, flip="none")[0], single[0], atol=1e-2)
    assert not np.allclose(embed_ijb(_embed, read, flip="none", detector_weights=False)[0], single[0], atol=0.1)


def test_a_face_that_cannot_be_embedded_is_named(ijb, monkeypatch):
    monkeypatch.setattr("kerasface.evaluation.ijb._BATCH", 10)
    read = read_ijb(ijb)
    batches = []

    def dead_in_the_second(batch):
        batches.append(batch)
        return _embed(batch) * (np.arange(len(batch)) != (3 if len(batches) == 2 else -1))[:, None]

    with pytest.raises(KerasfaceError, match=rf"image 3 is zero .*Image 0 is {read.photos[10]}\.$"):
        embed_ijb(dead_in_the_second, read, flip="none")
    read.points[7] = 5.0
    with pytest.raises(KerasfaceError, match=rf"{read.photos[7]} cannot be aligned .*coincide"):
        embed_ijb(_embed, read)


def test_lists_that_are_not_there_leave_their_protocol_out(ijb):
    (ijb / "meta/ijbc_template_pair_label.txt").unlink()
    (ijb / "meta/ijbc_1N_probe_mixed.csv").unlink()
    read = read_ijb(ijb)
    with pytest.raises(KerasfaceError, match="1:1 protocol"):
        evaluate_ijb(np.eye(8), read)
    with pytest.raises(KerasfaceError, match="probe_mixed"):
        identify_ijb(np.eye(8), read)


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("ijbc_face_tid_mid.txt", "1.jpg 10\n", "line 1 with 2"),
        ("ijbc_face_tid_mid.txt", "", "no lines"),
        ("ijbc_face_tid_mid.txt", "1.jpg ten 1\n", "cannot be read"),
        ("ijbc_name_5pts_score.txt", "2.jpg" + " 1" * 11 + "\n", "same files in one order"),
        ("ijbc_template_pair_label.txt", "10 11 2\n", "SAME 1 or 0"),
        ("ijbc_template_pair_label.txt", "10 99 1\n", "template 99"),
        ("ijbc_1N_gallery_G1.csv", _HEADINGS + "ten,1\n", "TEMPLATE_ID"),
    ],
)
def test_what_does_not_fit_is_named(ijb, file, text, message):
    (ijb / "meta" / file).write_text(text)
    with pytest.raises(KerasfaceError, match=message):
        read_ijb(ijb)


def test_a_folder_of_something_else_is_refused(tmp_path):
    with pytest.raises(KerasfaceError, match="neither"):
        read_ijb(tmp_path)
