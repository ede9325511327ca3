"""What the readers of benchmarks share: their text files, and the aligned crops that these name."""

from pathlib import Path

from kerasface.errors import KerasfaceError

__all__ = ["CROPS", "crops_folder", "present", "read_lines"]

# Where `kerasface align` puts a benchmark's crops: beside the protocol's files, the tree of the photos kept.
CROPS = "aligned_112"


def read_lines(path, *, what):
    """Reads a protocol's text file.

    Args:
        path: of the file.
        what: what it should be, for the message.

    Returns:
        list of lines, without blank ones at the end.

    Raises:
        KerasfaceError: no such file, or no text.
    """
    path = Path(path)
    try:
        # With or without the byte order mark that Windows' editors write.
        return path.read_text(encoding="utf-8-sig").rstrip().splitlines()
    except FileNotFoundError as error:
        raise KerasfaceError(f"no pair list at {path}: expected {what}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise KerasfaceError(f"{path} cannot be read as a text file: {error}") from error


def crops_folder(root, *, layout, lists, benchmark):
    """Returns `root/aligned_112`, where the crops of a benchmark lie.

    Args:
        root: the benchmark's folder.
        layout: how a crop's path below it looks, for the message.
        lists: what else the folder holds, for the message.
        benchmark: its name.

    Raises:
        KerasfaceError: no such folder.
    """
    root = Path(root)
    aligned = root / CROPS
    if not aligned.is_dir():
        raise KerasfaceError(
            f"{root} is no {benchmark} folder: expected {CROPS}/{layout} and {lists} in it. Received: "
            f"{f'no {CROPS} there' if root.is_dir() else 'no such folder'}. Align the photos first, or name the "
            f"folder above {CROPS}."
        )
    return aligned


def present(folder, images, *, listed_in, benchmark):
    """Returns the paths of a benchmark's crops, all of them there.

    Args:
        folder: where they lie.
        images: their paths below it.
        listed_in: the file that names them.
        benchmark: its name.

    Raises:
        KerasfaceError: a crop is missing: figures over fewer pairs are not the benchmark's.
    """
    paths = [Path(folder) / image for image in images]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise KerasfaceError(
            f"{len(missing):,} of the {len(paths):,} images that {listed_in} names are missing, the first is "
            f"{missing[0]}. All are needed: accuracies over fewer pairs are not {benchmark}'s. Align the whole set; "
            "where align.jsonl says that no face was found, a lower --min-score or another detector's --points helps."
        )
    return paths
