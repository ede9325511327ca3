"""Alignment past one machine: the same function as an Apache Beam transform."""

from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from kerasface.alignment.aligner import Aligner
from kerasface.alignment.record import PhotoRecord
from kerasface.alignment.settings import AlignmentSettings
from kerasface.alignment.tree import DRAFT, Run, WriteCrops

__all__ = ["AlignPhotos", "align_with_beam"]

_SHARDS = f"{DRAFT}beam"


class AlignPhotos(beam.PTransform):
    """Transform of `PhotoJob`s into `PhotoRecord`s; on the way it writes each photo's crops, as `align_tree` does.

    Source and target are folders that every worker sees, on a shared file system. A photo that Beam hands out twice is
    aligned twice, to the same bytes.

    Args:
        source, target: folders.
        settings: `AlignmentSettings`; None for its defaults.

    Example:
        >>> with beam.Pipeline() as pipeline:
        ...     records = pipeline | beam.Create(list_jobs("photos")) | AlignPhotos("photos", "aligned")
        ...     records | beam.Filter(lambda record: record.status == "none") | beam.Map(print)
    """

    def __init__(self, source, target, settings=None):
        super().__init__()
        self._write = WriteCrops(Path(source), Path(target), Aligner(settings or AlignmentSettings()))

    def expand(self, jobs):
        """Applies the transform to a PCollection of `PhotoJob`s."""
        # Reshuffled, so that photos are spread over the workers whatever step comes before.
        return jobs | beam.Reshuffle() | beam.Map(self._write).with_output_types(PhotoRecord)


def align_with_beam(source, target, settings=None, *, faces=None, options=()):
    """Aligns a tree of photos as `align_tree` does, to the same bytes, on Beam's workers.

    The log is written when all is done. A run that ended before then begins again with the photos that no earlier run
    has logged.

    Args:
        source, target, settings, faces: see `align_tree`; folders that every worker sees.
        options: Beam's own, a list of texts such as "--runner=FlinkRunner"; none runs on this machine.

    Returns:
        an `AlignmentReport`.

    Raises:
        KerasfaceError: as `align_tree`.

    Example:
        >>> align_with_beam("/shared/photos", "/shared/aligned", options=["--runner=SparkRunner"]).crops
        13230
    """
    settings = settings or AlignmentSettings()
    run = Run(source, target, settings, faces)
    before = len(run.jobs) - len(run.pending)
    with run.log:
        if run.pending:
            with beam.Pipeline(options=PipelineOptions(list(options))) as pipeline:
                records = pipeline | beam.Create(run.pending) | AlignPhotos(run.source, run.target, settings)
                lines = records | beam.Map(_line)
                lines | beam.io.WriteToText(str(run.target / _SHARDS), coder=beam.coders.BytesCoder())
        shards = sorted(run.target.glob(f"{_SHARDS}*"))
        done = (PhotoRecord.from_json(_text(line)) for shard in shards for line in shard.read_bytes().split(b"\n")[:-1])
        by_photo = {record.photo: record for record in done}
        for job in run.pending:
            run.log.append(by_photo[job.photo])
    for shard in shards:
        shard.unlink()
    return run.report(before)


def _line(record):
    return record.to_json().encode("utf-8", "surrogateescape")


def _text(line):
    return line.decode("utf-8", "surrogateescape")
