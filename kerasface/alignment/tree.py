"""A tree of photos to a tree of crops, by several processes, resumable."""

import contextlib
import os
from pathlib import Path

from kerasface.alignment.aligner import Aligner
from kerasface.alignment.jobs import list_jobs
from kerasface.alignment.log import AlignmentLog
from kerasface.alignment.record import PhotoRecord
from kerasface.alignment.report import summarize
from kerasface.alignment.settings import AlignmentSettings
from kerasface.alignment.workers import in_processes
from kerasface.edge import assets
from kerasface.errors import KerasfaceError

__all__ = ["DRAFT", "Run", "WriteCrops", "align_tree"]

DRAFT = ".draft_"  # how the names of files begin that a killed run may leave behind


def align_tree(source, target, settings=None, *, jobs=1, faces=None, aligner=None, progress=None):
    """Aligns every photo of a tree into the same tree of crops, with `align.jsonl`, a line a photo.

    A photo is done when its crops are whole and its line is written. Killed at any point and started again with the
    same arguments, the run goes on after the last line and ends with the same bytes as one that was never stopped;
    photos that have changed in size are done again, and so are those whose crops are gone.

    Args:
        source: folder of photos; see `kerasface.alignment.jobs.list_jobs`.
        target: folder; made when missing, not inside of the source.
        settings: `AlignmentSettings`; None for its defaults.
        jobs: number of processes. With 1 the photos are aligned in this process; with more, a script that calls this
            needs the usual `if __name__ == "__main__":`.
        faces: dict of photo to faces found elsewhere (`read_points`); None uses the detector.
        aligner: `Aligner` to use instead of one made of the settings.
        progress: function of (done, total), or None.

    Returns:
        an `AlignmentReport`.

    Raises:
        KerasfaceError: no photos, a target that can't be written or was begun with other settings, or no models for the
            detector; never for what is wrong with a photo.

    Example:
        >>> align_tree("photos", "aligned", AlignmentSettings(faces="central"), jobs=8).counts["none"]
        3
    """
    run = Run(source, target, settings or AlignmentSettings(), faces)
    before = len(run.jobs) - len(run.pending)
    write = WriteCrops(run.source, run.target, aligner or Aligner(run.settings))
    if progress:
        progress(before, len(run.jobs))
    try:
        with run.log, contextlib.closing(_records(write, run.pending, jobs)) as records:
            for done, record in enumerate(records, start=before + 1):
                run.log.append(record)
                if progress:
                    progress(done, len(run.jobs))
    except OSError as error:
        raise KerasfaceError(
            f"can't write to {target}: {error.strerror}. What is done is kept: run the same again to go on."
        ) from error
    return run.report(before)


class Run:
    """A checked and opened run, whoever aligns: its jobs, those that are left to do, and its log.

    Args:
        source, target, settings, faces: see `align_tree`, as its errors.
    """

    def __init__(self, source, target, settings, faces):
        self.source, self.target, self.settings = Path(source), Path(target), settings
        self.jobs = list_jobs(source, faces)
        here, there = self.source.resolve(), self.target.resolve()
        if here == there or here in there.parents:
            raise KerasfaceError(f"the target {target} lies inside of the source {source}: name a folder outside.")
        if faces is None and settings.task_file is None:
            for name in assets.ASSETS:
                assets.path(name)
        self.log = AlignmentLog(target, settings, faces)
        _remove_drafts(self.target)
        self.pending = [job for job in self.jobs if not self.log.is_done(job, _size(self.source / job.photo))]

    def report(self, done_before):
        """Returns the `AlignmentReport` of all jobs, when all are done."""
        here = {job.photo for job in self.jobs}
        gone = sorted(photo for photo, record in self.log.done.items() if record.files and photo not in here)
        return summarize([self.log.done[job.photo] for job in self.jobs], done_before, gone)


class WriteCrops:
    """Function of a `PhotoJob`: reads the photo, aligns it, writes its crops, gives its record. It can be pickled.

    Args:
        source, target: folders.
        aligner: `Aligner`.
    """

    def __init__(self, source, target, aligner):
        self.source, self.target, self.aligner = source, target, aligner

    def __call__(self, job):
        """Returns the job's `PhotoRecord`."""
        try:
            content = (self.source / job.photo).read_bytes()
        except OSError as error:
            return PhotoRecord(job.photo, "unreadable", f"can't read {job.photo}: {error.strerror}.", -1)
        aligned = self.aligner.align(content, job)
        for file, jpeg in aligned.files:
            path = self.target / file
            path.parent.mkdir(parents=True, exist_ok=True)
            # Not flushed to the disk one by one: that takes longer than aligning. A crash of the machine can lose
            # crops whose lines are written; the next run sees it by their size.
            draft = path.with_name(f"{DRAFT}{os.getpid()}_{path.name}")
            draft.write_bytes(jpeg)
            os.replace(draft, path)
        return aligned.record


def _records(write, pending, jobs):
    if jobs > 1 and pending:
        yield from in_processes(write, pending, min(jobs, len(pending)), _died)
    else:
        yield from map(write, pending)


def _died(job):
    return PhotoRecord(job.photo, "failed", "the process that aligned it died, twice", -1)


def _remove_drafts(target):
    for folder, _, files in os.walk(target):
        for name in files:
            if name.startswith(DRAFT):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(Path(folder) / name)


def _size(path):
    try:
        return path.stat().st_size
    except OSError:
        return -1
