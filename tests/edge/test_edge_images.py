import os

import numpy as np
import pytest
from PIL import Image

from kerasface.edge.images import load_image
from kerasface.errors import KerasfaceError

# What a viewer does with the stored pixels for each EXIF orientation (TIFF 6.0, tag 274).
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, -1)[:, ::-1][::-1, ::-1],
    8: lambda a: np.rot90(a, 1),
}


@pytest.fixture
def colors(rng):
    return rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_orientation_is_applied(tmp_path, colors, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(colors).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(load_image(tmp_path / "a.png"), UPRIGHT[orientation](colors))


def test_gives_a_writable_rgb_array_also_for_a_string_path(tmp_path, colors):
    Image.fromarray(colors).save(tmp_path / "a.png")
    image = load_image(str(tmp_path / "a.png"))
    assert image.dtype == np.uint8
    assert image.flags.writeable
    np.testing.assert_array_equal(image, colors)


def test_gray_becomes_three_equal_channels(tmp_path, colors):
    Image.fromarray(colors[..., 0]).save(tmp_path / "a.png")
    np.testing.assert_array_equal(load_image(tmp_path / "a.png"), np.repeat(colors[..., :1], 3, axis=2))


def test_transparency_lies_on_white(tmp_path, colors):
    alpha = np.zeros((5, 7, 1), np.uint8)
    alpha[:, 3:] = 255
    alpha[0, 0] = 51  # a fifth of the color, four fifths of white
    Image.fromarray(np.concatenate([colors, alpha], axis=2)).save(tmp_path / "a.png")
    expected = np.where(alpha > 0, colors, 255).astype(np.int64)
    expected[0, 0] = np.rint(colors[0, 0] * 0.2 + 255 * 0.8)
    assert np.abs(load_image(tmp_path / "a.png") - expected).max() <= 1


def test_a_transparent_palette_lies_on_white(tmp_path):
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8), "P")
    image.putpalette([10, 20, 30, 200, 100, 50, 1, 2, 3])
    image.save(tmp_path / "a.png", transparency=1)
    assert load_image(tmp_path / "a.png").tolist() == [[[10, 20, 30], [255, 255, 255], [1, 2, 3]]]


def test_cmyk_jpeg_keeps_its_colors(tmp_path):
    flat = Image.new("RGB", (32, 32), (200, 60, 30))
    flat.convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    assert np.abs(load_image(tmp_path / "a.jpg") - np.array([200.0, 60, 30])).max() <= 4


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_gray_keeps_its_range(tmp_path, suffix):
    gray = np.linspace(0, 65535, 24).reshape(4, 6).astype(np.uint16)
    Image.fromarray(gray).save(tmp_path / f"a.{suffix}")
    image = load_image(tmp_path / f"a.{suffix}")
    assert np.abs(image - gray[..., None] / 65535 * 255).max() <= 0.5


def test_float_gray_is_read_from_zero_to_one_and_refused_elsewhere(tmp_path):
    gray = np.linspace(0, 1, 24, dtype=np.float32).reshape(4, 6)
    Image.fromarray(gray).save(tmp_path / "a.tif")
    assert np.abs(load_image(tmp_path / "a.tif") - gray[..., None] * 255).max() <= 0.5
    Image.fromarray(gray * 7).save(tmp_path / "b.tif")
    with pytest.raises(KerasfaceError, match=r"b\.tif .*expected values in \[0, 1\]. Received: 0…7"):
        load_image(tmp_path / "b.tif")


def test_an_animation_gives_its_first_frame(tmp_path):
    frames = [Image.new("RGB", (4, 4), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert (load_image(tmp_path / "a.gif") == [255, 0, 0]).all()


@pytest.mark.parametrize("kept", [0.002, 0.3, 0.5, 0.99])
@pytest.mark.parametrize("options", [{"format": "JPEG"}, {"format": "JPEG", "progressive": True}, {"format": "PNG"}])
def test_a_truncated_file_is_an_error_that_says_so(tmp_path, hopper, kept, options):
    whole, cut = tmp_path / "whole", tmp_path / "cut.jpg"
    Image.fromarray(hopper).save(whole, **options)
    content = whole.read_bytes()
    cut.write_bytes(content[: max(8, int(kept * len(content)))])
    with pytest.raises(KerasfaceError, match=r"cut\.jpg is truncated.*Copy"):
        load_image(cut)


def test_errors_name_the_file_and_a_way_out(tmp_path):
    with pytest.raises(KerasfaceError, match=r"no image file .*gone\.jpg.*right"):
        load_image(tmp_path / "gone.jpg")
    with pytest.raises(KerasfaceError, match=r"the folder .*Name a file"):
        load_image(tmp_path)
    (tmp_path / "zero.jpg").touch()
    with pytest.raises(KerasfaceError, match=r"zero\.jpg is empty \(0 bytes\)"):
        load_image(tmp_path / "zero.jpg")
    (tmp_path / "text.jpg").write_text("hello")
    with pytest.raises(KerasfaceError, match=r"text\.jpg is not an image.*Received: first bytes b'hell'"):
        load_image(tmp_path / "text.jpg")


def test_postscript_is_never_handed_to_ghostscript(tmp_path, monkeypatch):
    ran = tmp_path / "ran"
    (tmp_path / "gs").write_text(f"#!/bin/sh\ntouch {ran}\n")
    (tmp_path / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("PIL.EpsImagePlugin.gs_binary", None)  # it is looked up once a process
    header = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    (tmp_path / "photo.jpg").write_bytes(header)
    with pytest.raises(KerasfaceError, match=r"photo\.jpg is a PostScript program.*Save it as JPEG"):
        load_image(tmp_path / "photo.jpg")
    assert not ran.exists()


@pytest.mark.parametrize("brand", [b"heic", b"mif1"])
def test_a_phones_heic_is_called_by_its_name(tmp_path, brand):
    # ISO/IEC 23008-12: a box of length 24 and type ftyp, its brand, its version, and the brands it is compatible with.
    (tmp_path / "IMG_0001.jpg").write_bytes(b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1heic" + bytes(200))
    with pytest.raises(KerasfaceError, match=r"IMG_0001\.jpg is a HEIC photo.*Save it as JPEG"):
        load_image(tmp_path / "IMG_0001.jpg")
