import numpy as np
import pytest
from PIL import Image

from kerasface.errors import KerasfaceError
from kerasface.evaluation import evaluate_lfw, read_lfw


@pytest.fixture
def small_lfw(tmp_path, rng):
    """Two folds of one pair of each kind, in LFW's layout; one colour a person."""
    (tmp_path / "pairs.txt").write_text("2\t1\nCy\t2\t1\nAnn\t1\tBob\t1\nAnn\t2\t1\nAnn\t2\tCy\t1\n")
    colors = {"Ann": (200, 20, 20), "Bob": (20, 200, 20), "Cy": (20, 20, 200)}
    for name, color in colors.items():
        (tmp_path / "aligned_112" / name).mkdir(parents=True)
        for number in (1, 2):
            pixels = np.clip(np.array(color) + rng.integers(-9, 9, (112, 112, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "aligned_112" / name / f"{name}_{number:04d}.jpg")
    return tmp_path


def _mean_color(batch):
    return batch.mean(axis=(1, 2)) - 100


def test_people_of_different_colors_are_told_apart(small_lfw):
    embedded = []

    def embed(batch):
        embedded.append(len(batch))
        return _mean_color(batch)

    result = evaluate_lfw(embed, small_lfw)
    assert (result.accuracy_mean, result.auc, result.genuine_pairs, result.impostor_pairs) == (1.0, 1.0, 2, 2)
    assert sum(embedded) == 5, "each distinct image is embedded once"


def test_the_set_says_who_is_who_and_progress_is_told(small_lfw):
    seen = []
    evaluate_lfw(_mean_color, small_lfw, flip="sum", progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (5, 5)
    pairs = read_lfw(small_lfw).pairs
    assert pairs.same.tolist() == [True, False, True, False]
    assert ((pairs.people[:, 0] == pairs.people[:, 1]) == pairs.same).all()
    assert len(np.unique(pairs.people)) == 3


def test_a_list_that_windows_saved_is_the_same(small_lfw):
    expected, listed = read_lfw(small_lfw).pairs, small_lfw / "pairs.txt"
    listed.write_bytes(b"\xef\xbb\xbf" + listed.read_bytes().replace(b"\n", b"\r\n"))
    read = read_lfw(small_lfw).pairs
    for field in ("first", "second", "same", "folds"):
        assert getattr(read, field).tolist() == getattr(expected, field).tolist()


def test_missing_images_folders_and_lists_are_named(small_lfw):
    (small_lfw / "aligned_112" / "Bob" / "Bob_0001.jpg").unlink()
    with pytest.raises(KerasfaceError, match=r"1 of the 5 images .* first is .*Bob_0001\.jpg"):
        evaluate_lfw(_mean_color, small_lfw)
    (small_lfw / "pairs.txt").unlink()
    with pytest.raises(KerasfaceError, match="no pair list at"):
        evaluate_lfw(_mean_color, small_lfw)
    with pytest.raises(KerasfaceError, match="no aligned_112 there"):
        evaluate_lfw(_mean_color, small_lfw / "aligned_112")
    with pytest.raises(KerasfaceError, match="no such folder"):
        evaluate_lfw(_mean_color, small_lfw / "elsewhere")


@pytest.mark.shared_data
def test_small_pixels_tell_a_little_on_the_real_set(shared_data):
    def embed(batch):
        # 14x14 grey squares of 8x8 pixels, less their mean: knows the light and the pose, hardly the person.
        squares = batch.mean(axis=3).reshape(len(batch), 14, 8, 14, 8).mean(axis=(2, 4)).reshape(len(batch), -1)
        return squares - squares.mean(axis=1, keepdims=True)

    result = evaluate_lfw(embed, shared_data / "lfw")
    assert 0.55 < result.accuracy_mean < 0.75
    assert 0.55 < result.auc < 0.8
    assert (result.genuine_pairs, result.impostor_pairs, len(result.fold_accuracies)) == (3000, 3000, 10)
    # 3,000 impostor pairs: three may pass at 1e-3, none could at 1e-4.
    low, high = result.intervals.tar_at_far[1e-3]
    assert low <= result.tar_at_far[1e-3] <= high < 0.3
    assert result.tar_at_far[1e-4] is None
    assert result.intervals.tar_at_far[1e-4] is None
    low, high = result.intervals.accuracy
    assert low < result.accuracy_mean < high < low + 0.06
