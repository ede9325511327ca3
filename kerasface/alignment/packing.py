"""A tree of photos to packed crops: TFRecord shards, as `kerasface pack` writes them."""

import contextlib
import os
import shutil
from pathlib import Path, PurePosixPath

from kerasface.alignment.jobs import list_jobs
from kerasface.alignment.log import LOG, SETTINGS, check_settings, read_log
from kerasface.alignment.report import summarize
from kerasface.alignment.settings import AlignmentSettings
from kerasface.alignment.tree import align_tree
from kerasface.errors import KerasfaceError

__all__ = ["align_packed"]


def align_packed(source, target, settings=None, *, faces=None, **options):
    """Aligns a tree of photos, then packs the crops; a photo's first folder is its person.

    The crops wait in a hidden folder beside the target, so that a killed run goes on as `align_tree` does; the target
    appears when everything is in it, with the log.

    Args:
        source: folder whose sub-folders are people.
        target: folder that `kerasface.data.open_faces` will open.
        settings, faces, **options: see `align_tree`.

    Returns:
        an `AlignmentReport`.

    Raises:
        KerasfaceError: as `align_tree`; photos outside of any sub-folder; not one crop; or a target that exists and is
            not exactly what this call would make.

    Example:
        >>> align_packed("photos", "packed", jobs=8).crops
        13230
    """
    settings, target = settings or AlignmentSettings(), Path(target)
    jobs = list_jobs(source)
    loose = [job.photo for job in jobs if "/" not in job.photo]
    if loose:
        raise KerasfaceError(f"packed crops need a sub-folder a person. Received: {loose[0]}, which lies in none.")
    waiting = target.with_name(f".{target.name}.aligning")
    if target.exists():
        shutil.rmtree(waiting, ignore_errors=True)
        return _made_before(jobs, target, settings, faces)
    report = align_tree(source, waiting, settings, faces=faces, **options)
    _pack(jobs, waiting, target)
    shutil.rmtree(waiting)
    return report


def _pack(jobs, waiting, target):
    from kerasface.data import FaceSource, pack_faces

    records = read_log(waiting)
    files = [file for job in jobs for file, _ in records[job.photo].files]
    if not files:
        raise KerasfaceError(f"no face to pack: see {waiting / LOG} for what became of each photo.")
    owners = [PurePosixPath(file).parts[0] for file in files]
    people = sorted(set(owners))
    number = {name: label for label, name in enumerate(people)}
    crops = FaceSource.of_files(people, [number[name] for name in owners], [waiting / file for file in files])
    draft = waiting / ".packed"
    shutil.rmtree(draft, ignore_errors=True)
    pack_faces(crops, draft)
    for name in (SETTINGS, LOG):
        shutil.copy(waiting / name, draft / name)
    os.replace(draft, target)


def _made_before(jobs, target, settings, faces):
    with contextlib.suppress(KerasfaceError):
        check_settings(target, settings, faces)
        records = read_log(target)
        if [job.photo for job in jobs] == sorted(records):
            return summarize(list(records.values()), len(records))
    raise KerasfaceError(
        f"{target} exists, and is not these photos aligned with these settings: packed sets aren't added to. Name a "
        "folder that doesn't exist, or move it away."
    )
