"""Reading a photo, whatever it was saved as, into upright uint8 RGB."""

import dataclasses
import io
import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from kerasface.errors import KerasfaceError

__all__ = ["EncodedImage", "load_image"]

_JPEG_START, _PNG_START = b"\xff\xd8\xff", b"\x89PNG"
# What a HEIF container of phones calls itself in bytes 4…12; other brands are videos, or AVIF.
_HEIF_STARTS = tuple(b"ftyp" + brand for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"))
_MAX_16_BIT = 65535
# Pillow hands PostScript, whatever the file's name is, to the program Ghostscript.
_PROGRAMS = ("EPS",)


@dataclasses.dataclass(frozen=True)
class EncodedImage:
    """An encoded photo in memory: it reads as a path does, and its text says where it came from.

    Args:
        content: JPEG or PNG bytes.
        name: what messages call it.
    """

    content: bytes
    name: str

    def read_bytes(self):
        """Returns the encoded photo."""
        return self.content

    def __str__(self):
        return self.name


def load_image(photo):
    """Reads an image file as a person would see it.

    The EXIF orientation is applied; gray, palette and CMYK become RGB; what is transparent lies on white; 16-bit
    gray is brought to 0…255 by its whole range, floating-point gray from [0, 1]; of an animation the first frame is
    taken.

    Args:
        photo: path of a file in a format that Pillow reads, or anything else that has a path's `read_bytes` and says
            as text where it lies, such as a `kerasface.data` source's photos.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        KerasfaceError: no such file, a folder, zero bytes, not an image, PostScript, a truncated or damaged one, or one
            of more than about 180 megapixels. A file that ends early is never filled up with gray.

    Example:
        >>> load_image("photo.jpg").shape
        (600, 512, 3)
    """
    photo = Path(photo) if isinstance(photo, str | os.PathLike) else photo
    if isinstance(photo, Path):
        _check_file(photo)
    try:
        content = photo.read_bytes()
    except OSError as error:
        raise KerasfaceError(f"can't read {photo}: {error.strerror}.") from error
    if not content:
        raise KerasfaceError(f"the image file {photo} is empty (0 bytes): copy or download it again.")
    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.format in _PROGRAMS:
                raise KerasfaceError(
                    f"{photo} is a PostScript program, which is not run to see its picture. Save it as JPEG or PNG."
                )
            return np.array(_to_rgb(ImageOps.exif_transpose(image), photo))
    except KerasfaceError:
        raise
    except UnidentifiedImageError as error:
        start = content[:4]
        if start.startswith((_JPEG_START, _PNG_START)):
            raise KerasfaceError(
                f"{photo} is truncated: it ends in its header ({len(content)} bytes). Copy it again."
            ) from error
        if content[4:12] in _HEIF_STARTS:
            raise KerasfaceError(
                f"{photo} is a HEIC photo, as iPhones take them, which isn't read here. Save it as JPEG or PNG."
            ) from error
        raise KerasfaceError(
            f"{photo} is not an image that Pillow can read. Received: first bytes {start!r}. Save it as JPEG or PNG."
        ) from error
    # Pillow's readers raise what their parsers stumble over: OSError, SyntaxError, struct.error, IndexError, ….
    except Exception as error:
        kind = "truncated" if "truncated" in str(error).lower() else "damaged or too large"
        raise KerasfaceError(
            f"{photo} is {kind} ({len(content)} bytes): {error}. Copy or download it again."
        ) from error


def _check_file(path):
    if path.is_dir():
        raise KerasfaceError(f"expected an image file. Received: the folder {path}. Name a file in it.")
    if not path.is_file():
        raise KerasfaceError(f"no image file {path}. Is the path right, seen from {Path.cwd()}?")


def _to_rgb(image, path):
    if image.mode.startswith("I") or image.mode == "F":
        return _gray_to_rgb(np.asarray(image), path)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image).convert("RGB")
    return image.convert("RGB")


def _gray_to_rgb(gray, path):
    top = 1.0 if gray.dtype.kind == "f" else _MAX_16_BIT
    low, high = float(gray.min()), float(gray.max())
    # `not` catches NaN too.
    if not (low >= 0 and high <= top):
        raise KerasfaceError(
            f"{path} is {gray.dtype} gray; expected values in [0, {top:g}]. Received: {low:g}…{high:g}. "
            "Save it as an 8-bit JPEG or PNG."
        )
    return Image.fromarray(np.rint(gray * (255 / top)).astype(np.uint8)).convert("RGB")
