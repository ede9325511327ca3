"""Reports as files: one JSON that holds everything, and tables of it for people and for other programs."""

import csv
import dataclasses
import io

from kerasface.evaluation.megaface_challenge import MegaFaceResult
from kerasface.evaluation.people import IdentificationReport
from kerasface.evaluation.protocol import VerificationReport
from kerasface.evaluation.result import Result

__all__ = ["Report", "Row", "report_rows", "to_csv", "to_markdown"]


@dataclasses.dataclass(frozen=True, eq=False)
class Report(Result):
    """What one run of `kerasface evaluate` measured; what its protocol lacks is None.

    Args:
        verification: 1:1.
        identification: 1:N.
        megaface: among distractors.
        library_version: kerasface's version that measured.
    """

    verification: VerificationReport | None
    identification: IdentificationReport | None
    megaface: MegaFaceResult | None
    library_version: str


@dataclasses.dataclass(frozen=True)
class Row:
    """One figure of a report.

    Args:
        figure: as papers call it.
        iso: its name in ISO/IEC 19795, or "".
        value: the number; None where the data do not support it.
        interval: 95 % confidence, or None.
        text: the number as people read it.
    """

    figure: str
    iso: str
    value: float | None
    interval: tuple[float, float] | None
    text: str


def report_rows(report: Report) -> list[Row]:
    """Lists a report's figures in the order in which they are read.

    Args:
        report: any.

    Returns:
        The rows of its tables.

    Example:
        >>> [(row.figure, row.text) for row in report_rows(report)]
    """
    rows = []
    if report.verification is not None:
        rows += _verification(report.verification)
    if report.identification is not None:
        rows += _identification(report.identification)
    if report.megaface is not None:
        rows += _megaface(report.megaface)
    return rows


def to_csv(report: Report) -> str:
    """Writes the figures as CSV: figure, iso, value, low, high; an empty value is one that is not supported.

    Args:
        report: any.

    Returns:
        The text.

    Example:
        >>> Path("lfw.csv").write_text(to_csv(report))
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["figure", "iso", "value", "low", "high"])
    for row in report_rows(report):
        low, high = row.interval or ("", "")
        writer.writerow([row.figure, row.iso, "" if row.value is None else row.value, low, high])
    return text.getvalue()


def to_markdown(report: Report) -> str:
    """Writes the figures as a Markdown table.

    Args:
        report: any.

    Returns:
        The text.

    Example:
        >>> Path("lfw.md").write_text(to_markdown(report))
    """
    lines = ["| figure | ISO/IEC 19795 | value | 95 % interval |", "|---|---|---|---|"]
    for row in report_rows(report):
        lines.append(f"| {row.figure} | {row.iso} | {row.text} | {interval_text(row)} |")
    return "\n".join(lines) + "\n"


def interval_text(row: Row) -> str:
    """A row's interval as people read it, per cent where its value is, "" without one."""
    if row.interval is None:
        return ""
    return " – ".join(f"{end:.2%}" if "%" in row.text else f"{end:.4f}" for end in row.interval)


def _rate(figure, iso, value, interval=None, unsupported="too few impostor pairs"):
    return Row(figure, iso, value, interval, unsupported if value is None else f"{value:.2%}")


def _count(figure, value):
    return Row(figure, "", value, None, f"{value:,}")


def _verification(report):
    result, intervals = report.result, report.result.intervals
    rows = []
    if result.accuracy_mean is not None:
        rows.append(
            Row(
                f"accuracy, {len(result.fold_accuracies)} folds",
                "",
                result.accuracy_mean,
                intervals and intervals.accuracy,
                f"{result.accuracy_mean:.2%} ± {result.accuracy_std:.2%}",
            )
        )
    rows += [
        Row("AUC", "", result.auc, intervals and intervals.auc, f"{result.auc:.4f}"),
        _rate("equal error rate", "FMR = FNMR", result.eer, intervals and intervals.eer),
    ]
    for far, tar in result.tar_at_far.items():
        interval = intervals.tar_at_far[far] if intervals else None
        rows.append(_rate(f"TAR at FAR {far:g}", f"1 − FNMR at FMR {far:g}", tar, interval))
    rows += [_count("genuine pairs", result.genuine_pairs), _count("impostor pairs", result.impostor_pairs)]
    for group in report.groups:
        name = f"{group.attribute} = {group.group}"
        few = "too few pairs"
        rows += [
            _rate(f"FAR of {name}", "FMR", group.fmr, group.fmr_interval, few),
            _rate(f"1 − TAR of {name}", "FNMR", group.fnmr, group.fnmr_interval, few),
        ]
    return rows


def _identification(report):
    rows = []
    for name, result in report.searches.items():
        few = "no such probes"
        rows.append(_rate(f"rank 1, {name}", "TPIR at rank 1", result.rank1, None, few))
        rows += [
            _rate(f"rank {rank}, {name}", f"TPIR at rank {rank}", result.cmc[rank - 1])
            for rank in (5, 10)
            if rank <= len(result.cmc)
        ]
        for fpir, rate in result.dir_at_fpir.items():
            rows.append(
                _rate(
                    f"DIR at FAR {fpir:g}, {name}", f"1 − FNIR at FPIR {fpir:g}", rate, None, "too few unknown probes"
                )
            )
        if result.threshold is not None:
            rows += [
                _rate(f"strangers named at cosine {result.threshold:.4f}", "FPIR", result.fpir, None, few),
                _rate(f"known missed at cosine {result.threshold:.4f}", "FNIR", result.fnir, None, few),
            ]
        rows += [
            _count(f"people, {name}", result.gallery_people),
            _count(f"known probes, {name}", result.known_probes),
            _count(f"unknown probes, {name}", result.unknown_probes),
        ]
    if report.angles is not None:
        rows += _angles(report.angles)
    return rows


def _angles(angles):
    def degrees(figure, value):
        return Row(figure, "", value, None, "no person with two images" if value is None else f"{value:.2f}°")

    ideal = f"{angles.uniformity:.3f} (even sphere {angles.uniformity_ideal:.3f})"
    return [
        degrees("mean angle to the person's centre (Intra)", angles.intra),
        degrees("mean angle to the nearest other centre (Inter)", angles.inter),
        Row(
            "effective dimensions",
            "",
            angles.effective_dimensions,
            None,
            f"{angles.effective_dimensions:.1f} of {angles.dimension}",
        ),
        Row("uniformity of centres", "", angles.uniformity, None, ideal),
    ]


def _megaface(result):
    rows = [
        _rate(f"rank 1 among {size:,} distractors", "TPIR at rank 1", rate)
        for size, rate in zip(result.distractors, result.rank1, strict=True)
    ]
    for far, tar in result.tar_at_far.items():
        rows.append(_rate(f"TAR at FAR {far:g}", f"1 − FNMR at FMR {far:g}", tar))
    return [*rows, _count("genuine pairs", result.genuine_pairs), _count("impostor pairs", result.impostor_pairs)]
