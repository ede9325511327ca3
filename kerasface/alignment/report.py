"""What a run over many photos came to."""

import collections
import dataclasses
import json

from kerasface.alignment.record import STATUSES

__all__ = ["AlignmentReport", "summarize"]

_NAMED = 3


@dataclasses.dataclass(frozen=True)
class AlignmentReport:
    """Counts of a whole set, earlier runs of it included.

    Args:
        photos: in the source.
        counts: photos of each status.
        missing: the first three photos of each status that leaves a photo without a crop.
        crops: that were written.
        done_before: photos that an earlier run had done.
        gone: photos that the source doesn't hold any more, and whose crops an earlier run left in the target.
    """

    photos: int
    counts: dict[str, int]
    missing: dict[str, tuple[str, ...]]
    crops: int
    done_before: int
    gone: tuple[str, ...] = ()

    def to_json(self):
        """Returns the report as a JSON text."""
        return json.dumps(dataclasses.asdict(self), indent=1)


def summarize(records, done_before, gone=()):
    """Counts records.

    Args:
        records: list of `PhotoRecord`, one a photo.
        done_before: how many an earlier run had done.
        gone: photos of an earlier run that aren't there any more.

    Returns:
        an `AlignmentReport`.
    """
    counts = collections.Counter(record.status for record in records)
    missing = collections.defaultdict(list)
    for record in records:
        if not record.files:
            missing[record.status].append(record.photo)
    return AlignmentReport(
        photos=len(records),
        counts={status: counts[status] for status in STATUSES},
        missing={status: tuple(photos[:_NAMED]) for status, photos in missing.items()},
        crops=sum(len(record.files) for record in records),
        done_before=done_before,
        gone=tuple(gone),
    )
