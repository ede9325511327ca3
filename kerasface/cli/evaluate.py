"""kerasface evaluate."""

from pathlib import Path
from typing import Literal

import typer
from rich.table import Table

from kerasface.cli.console import console, error_console, import_extra
from kerasface.cli.models import embedder_file, open_embedder
from kerasface.cli.reports import check_figure, check_writable, write_report
from kerasface.cli.unread import tell_unread
from kerasface.errors import KerasfaceError
from kerasface.progress import progress_bar

__all__ = ["add_to"]

_WITHOUT_PAIRS = ("--ijb", "--people", "--probes")


def add_to(app):
    """Adds the command."""
    app.command(name="evaluate")(evaluate)


def evaluate(
    model: Path = typer.Argument(help="A name of the zoo, or a .keras, .tflite or .onnx file."),
    lfw: Path = typer.Option(None, help="LFW's folder: aligned_112/ and pairs.txt."),
    cfp_ff: Path = typer.Option(None, "--cfp-ff", help="CFP's, frontal-frontal: aligned_112/, Protocol/."),
    cfp_fp: Path = typer.Option(None, "--cfp-fp", help="CFP's, frontal-profile."),
    ytf: Path = typer.Option(None, help="YTF's: aligned_112/NAME/VIDEO/ and splits.txt."),
    pairs: Path = typer.Option(None, help="CSV: first, second, same; maybe fold, people, groups."),
    packed: Path = typer.Option(None, "--bin", help="insightface's .bin of AgeDB-30, CALFW, CPLFW, …"),
    ijb: Path = typer.Option(None, help="IJB-B's or IJB-C's: meta/ and loose_crop/."),
    people: Path = typer.Option(None, help="Aligned crops, a sub-folder a person: identification."),
    probes: Path = typer.Option(None, help="MegaFace's probes, likewise."),
    distractors: Path = typer.Option(None, help="With --probes: aligned crops of other people."),
    flip: Literal["none", "sum", "concatenate"] = typer.Option(
        "none", metavar="HOW", help="Join the mirror image: none, sum, concatenate."
    ),
    subtract_mean: bool = typer.Option(False, "--subtract-mean", help="Less the training folds' mean embedding."),
    metric: Literal["cosine", "l2"] = typer.Option("cosine", metavar="NAME", help="cosine or l2."),
    max_frames: int = typer.Option(None, min=1, metavar="N", help="Of a YTF video."),
    json_path: Path = typer.Option(None, "--json", help="Write the report, figures' numbers included."),
    csv_path: Path = typer.Option(None, "--csv", help="Write the table for other programs."),
    markdown_path: Path = typer.Option(None, "--markdown", help="Write the table for a text."),
    html_path: Path = typer.Option(None, "--html", help="Write a page with all figures."),
    failures: Path = typer.Option(None, help="Draw the worst pairs, .png: faces, for you alone."),
):
    """Measure an embedder on one benchmark: verification, templates, identification, or among distractors.

    Example: kerasface evaluate runs/first/best.keras --lfw data/lfw --flip sum --json lfw.json --html lfw.html
    """
    from kerasface import __version__
    from kerasface import evaluation as room

    sets = {
        "--lfw": lfw, "--cfp-ff": cfp_ff, "--cfp-fp": cfp_fp, "--ytf": ytf, "--pairs": pairs, "--bin": packed,
        "--ijb": ijb, "--people": people, "--probes": probes,
    }  # fmt: skip
    option = _only(sets, distractors, failures)
    for path in (json_path, csv_path, markdown_path, html_path):
        check_writable(path)
    check_figure("--failures", failures)
    _check_pairs_only(option, subtract_mean, metric)
    readers = {
        "--lfw": lambda: room.read_lfw(lfw),
        "--cfp-ff": lambda: room.read_cfp(cfp_ff, "FF"),
        "--cfp-fp": lambda: room.read_cfp(cfp_fp, "FP"),
        "--ytf": lambda: room.read_ytf(ytf, max_frames=max_frames),
        "--pairs": lambda: room.read_pair_list(pairs),
        "--bin": lambda: _packed(packed),
        "--ijb": lambda: room.read_ijb(ijb),
        "--people": lambda: _people(people),
        "--probes": lambda: (*_people(probes), _photos(distractors)),
    }
    # A wrong path is told before TensorFlow is imported for a .keras file, which takes seconds.
    model = embedder_file(model)
    faces = readers[option]()
    for name, wanted in {"scipy": pairs or packed or ijb, "matplotlib": html_path or failures}.items():
        if wanted:
            import_extra(name)
    embed, spec = open_embedder(model)
    verification = identification = found = None
    with progress_bar(error_console, "embedding") as update:
        if option == "--ijb":
            verification, identification = _ijb(faces, embed, spec, flip, update)
        elif option == "--people":
            identification = room.evaluate_people(
                embed, *faces, benchmark=people.name, flip=flip, embedder=spec.name, progress=update
            )
        elif option == "--probes":
            photos, labels, others = faces
            probe_rows = room.represent(embed, photos, flip=flip, progress=update)
            found = room.megaface(probe_rows, labels, room.represent(embed, others, flip=flip, progress=update))
        else:
            scores = room.score_set(
                embed, faces, flip=flip, subtract_mean=subtract_mean, metric=metric, progress=update
            )
            verification = room.report_pairs(
                scores, faces, flip=flip, subtract_mean=subtract_mean, metric=metric, embedder=spec.name
            )
    report = room.Report(verification, identification, found, library_version=__version__)
    console.print(_table(report, spec.name, f"{option[2:]}, flip: {flip}"))
    write_report(json_path, lambda: report.to_json() + "\n")
    write_report(csv_path, lambda: room.to_csv(report))
    write_report(markdown_path, lambda: room.to_markdown(report))
    if html_path:
        from kerasface.plot import write_report_page

        console.print(str(write_report_page(report, html_path)), soft_wrap=True)
    if failures:
        from kerasface.plot import failure_grid, save

        console.print(str(save(failure_grid(scores, faces), failures)), soft_wrap=True)


def _only(sets, distractors, failures):
    """The one benchmark that was named."""
    given = [option for option, path in sets.items() if path is not None]
    if len(given) != 1:
        raise KerasfaceError(
            f"name one benchmark: {', '.join(sets)}. Received: {' and '.join(given) or 'none'}. Run it once for each."
        )
    if (distractors is None) != (sets["--probes"] is None):
        raise KerasfaceError("--probes and --distractors belong together: MegaFace needs both.")
    if failures is not None and given[0] in _WITHOUT_PAIRS:
        raise KerasfaceError(f"--failures shows pairs of faces, which {given[0]} does not list.")
    return given[0]


def _check_pairs_only(option, subtract_mean, metric):
    if option in _WITHOUT_PAIRS:
        for name, given in {"--subtract-mean": subtract_mean, "--metric l2": metric == "l2"}.items():
            if given:
                raise KerasfaceError(f"{name} is for pairs of faces; {option} is measured by the cosine alone.")


def _ijb(ijb, embed, spec, flip, update):
    from kerasface.evaluation import embed_ijb, evaluate_ijb, identify_ijb

    templates = embed_ijb(embed, ijb, flip=flip, template=spec.template, progress=update)
    how = {"flip": flip, "embedder": spec.name}
    verification = None if ijb.pairs is None else evaluate_ijb(templates, ijb, **how)
    return verification, None if ijb.probes is None else identify_ijb(templates, ijb, **how)


def _packed(path):
    from kerasface.data import read_verification_bin
    from kerasface.evaluation import packed_pairs

    images, same = read_verification_bin(path)
    try:
        return packed_pairs(images, same, name=path.stem)
    except ValueError as error:  # here it is the file's fault
        raise KerasfaceError(f"{path}: {error}") from error


def _people(root):
    from kerasface.data import open_faces

    faces = open_faces(root)
    tell_unread(root)
    return faces.photos, faces.labels


def _photos(root):
    from kerasface.data import list_photos

    return list_photos(root)


def _table(report, name, how):
    from kerasface.evaluation.report import interval_text, report_rows

    table = Table(title=f"{name} ({how})", show_header=True)
    for heading in ("figure", "ISO/IEC 19795", "value", "95 % interval"):
        table.add_column(heading)
    for row in report_rows(report):
        table.add_row(row.figure, row.iso, row.text, interval_text(row))
    return table
