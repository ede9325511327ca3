"""A report's figures and its page, from nothing but the report."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from kerasface.edge.atomic import write_atomically
from kerasface.errors import KerasfaceError
from kerasface.evaluation.failures import worst_pairs
from kerasface.evaluation.pairs import PairSet
from kerasface.evaluation.report import Report, interval_text, report_rows
from kerasface.evaluation.scores import held_out_scores
from kerasface.plot.curves import cmc, det, roc
from kerasface.plot.faces import face_grid
from kerasface.plot.histograms import angle_histograms
from kerasface.plot.style import ACCEPTED, REJECTED, inline_png

__all__ = ["failure_grid", "report_figures", "write_report_page"]

_PAGE_MODE = 0o644


def report_figures(report: Report) -> dict[str, Figure]:
    """Draws every figure that a report holds the numbers of.

    Args:
        report: from `kerasface evaluate`, or `Report.from_json` of its file.

    Returns:
        Figures by name: "roc", "det", "angles" for 1:1; "cmc", "identification_det" for 1:N; "megaface_cmc".

    Example:
        >>> report = Report.from_json(Path("lfw.json").read_text())
        >>> for name, figure in report_figures(report).items():
        ...     save(figure, f"{name}.svg")
    """
    figures = {}
    if report.verification is not None:
        name = report.verification.embedder or "embedder"
        figures["roc"] = roc({name: report.verification.curve})
        figures["det"] = det({name: report.verification.curve})
        figures["angles"] = angle_histograms(report.verification.angles)
    if report.identification is not None:
        searches = report.identification.searches
        ranked = {name: search.cmc for name, search in searches.items() if search.cmc}
        if ranked:
            figures["cmc"] = cmc(ranked)
        curves = {name: search.curve for name, search in searches.items() if search.curve is not None}
        if curves and all(curve.impostor_pairs > 3 for curve in curves.values()):
            figures["identification_det"] = det(curves, rates=("FPIR", "FNIR"))
    if report.megaface is not None:
        figures["megaface_cmc"] = cmc({f"{report.megaface.distractors[-1]:,} distractors": report.megaface.cmc})
    return figures


def write_report_page(report: Report, path: str | Path) -> Path:
    """Writes a report as one HTML file with every figure inside, readable without a network.

    Args:
        report: any.
        path: of the .html file.

    Returns:
        The path.

    Raises:
        KerasfaceError: it cannot be written there.

    Example:
        >>> write_report_page(Report.from_json(Path("lfw.json").read_text()), "lfw.html")
    """
    import jinja2

    template = jinja2.Environment(
        loader=jinja2.PackageLoader("kerasface.plot", "."), autoescape=True, undefined=jinja2.StrictUndefined
    ).get_template("report.html")
    part = report.verification or report.identification
    text = template.render(
        title=f"{part.embedder or 'embedder'} on {part.benchmark}" if part else "MegaFace challenge 1",
        how=f"flip: {part.flip}" if part else "",
        rows=[(row.figure, row.iso, row.text, interval_text(row)) for row in report_rows(report)],
        images={name: inline_png(figure) for name, figure in report_figures(report).items()},
        version=report.library_version,
    )
    try:
        write_atomically(path, text.encode(), mode=_PAGE_MODE)
    except OSError as error:
        raise KerasfaceError(f"the page cannot be written to {path}: {error}. Choose another place.") from error
    return Path(path)


def failure_grid(scores, pair_set: PairSet, *, count: int = 12) -> Figure:
    """Draws the genuine pairs that look least alike to the embedder, and the impostor pairs that look most alike.

    The pictures are of real people: the page is for the eyes of whoever may look at the set, not for publishing.

    Args:
        scores: from `score_set`.
        pair_set: what was scored; of a template its first image is shown.
        count: pairs of either kind.

    Returns:
        A `Figure`.

    Raises:
        KerasfaceError: a picture that cannot be read.

    Example:
        >>> save(failure_grid(scores, pair_set), "failures.png")
    """
    pairs = pair_set.pairs
    scores = held_out_scores(scores, pairs.folds)
    genuine, impostor = worst_pairs(scores, pairs.same, count)
    pictures, captions, colors = [], [], []
    for rows, verdict, color in ((genuine, "one person", ACCEPTED), (impostor, "two people", REJECTED)):
        for row in rows:
            sides = [_picture(pair_set, pairs.first[row]), _picture(pair_set, pairs.second[row])]
            pictures.append(np.concatenate(sides, axis=1))
            captions.append(f"{verdict}\n{scores[row]:.3f}")
            colors.append(color)
    return face_grid(pictures, captions, colors, columns=6)


def _picture(pair_set, index):
    from kerasface.edge.images import load_image

    row = index if pair_set.templates is None else int(np.argmax(np.asarray(pair_set.templates) == index))
    image = pair_set.images[row]
    return image if isinstance(image, np.ndarray) else load_image(image)
