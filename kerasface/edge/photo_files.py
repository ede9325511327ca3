"""Which files of a folder are photos."""

__all__ = ["PHOTO_SUFFIXES", "UNREAD_SUFFIXES", "files_below", "photos_in", "unread_text"]

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jp2", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
# What phones and cameras write besides: Pillow reads it not at all, with a plugin, or only in its newer versions.
UNREAD_SUFFIXES = (".heic", ".heif", ".avif", ".jxl", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".raf", ".rw2")


def photos_in(folder, suffixes=PHOTO_SUFFIXES):
    """Lists the photos of one folder.

    Args:
        folder: `pathlib.Path`.
        suffixes: of the photos, in lower case.

    Returns:
        list of paths, by name; what begins with a dot is left out.

    Example:
        >>> photos_in(Path("photos/Ann"))
        [PosixPath('photos/Ann/1.jpg')]
    """
    files = (path for path in folder.iterdir() if path.suffix.lower() in suffixes)
    return sorted((path for path in files if not path.name.startswith(".")), key=lambda path: path.name)


def unread_text(paths):
    """Says which kinds of photos that aren't read are among files, for messages that no photo is.

    Args:
        paths: of `pathlib.Path`.

    Returns:
        a sentence after a blank; "" where there are none.

    Example:
        >>> unread_text([Path("photos/IMG_0001.HEIC")])
        " .heic photos aren't read: save them as JPEG or PNG."
    """
    kinds = sorted({path.suffix.lower() for path in paths}.intersection(UNREAD_SUFFIXES))
    return f" {', '.join(kinds)} photos aren't read: save them as JPEG or PNG." if kinds else ""


def files_below(folder, _above=()):
    """Yields the files of a folder and of all below it, linked folders among them.

    Files and folders whose names begin with a dot are left out; a link that leads back to where it came from ends
    there.

    Args:
        folder: `pathlib.Path`.

    Yields:
        paths that begin with `folder`, in no order.

    Example:
        >>> sorted(files_below(Path("photos")))
        [PosixPath('photos/Ann/1.jpg'), PosixPath('photos/notes.txt')]
    """
    # Not rglob: it leaves linked folders out before Python 3.13, and then follows them round and round.
    here = folder.resolve()
    if here in _above:
        return
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from files_below(path, (*_above, here))
        else:
            yield path
