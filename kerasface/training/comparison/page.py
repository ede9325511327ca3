"""The page of a comparison: Markdown with tables, and figures beside it that show no face."""

from pathlib import Path

import numpy as np

from kerasface.edge.atomic import write_atomically

__all__ = ["write_page"]

_FARS = (1e-3, 1e-2, 1e-1)


def write_page(result, path, *, figures="figures", head=""):
    """Writes the page of a comparison, and its figures.

    Args:
        result: `ComparisonResult`.
        path: of the Markdown file.
        figures: folder beside it; its files begin with the comparison's name.
        head: title and first words; by default the comparison's name and who wrote the page.

    Returns:
        The path.
    """
    path = Path(path)
    head = head or f"# {result.name}\n\nWritten by `kerasface compare`; nothing here is typed by hand."
    lines = [head, ""]
    lines += _budget(result)
    if result.runs:
        lines += _accuracy_table(result)
        lines += _angle_table(result)
        lines += _loss_table(result)
        lines += _figures(result, path.parent / figures, figures)
    write_atomically(path, ("\n".join(lines).rstrip() + "\n").encode(), mode=0o644)
    return path


def _budget(result):
    done = len(result.runs) + len(result.diverged)
    lines = []
    if done < result.planned:
        lines += [f"**{done} of {result.planned} runs are done; the rest is still to come.**", ""]
    if result.runs:
        run = result.runs[0]
        hours = sum(each.wall_seconds for each in result.runs) / 3600
        epochs, steps = ({getattr(each, name) for each in result.runs} for name in ("epochs", "steps"))
        lines += [
            f"{len(result.runs)} runs, {hours:.1f} hours of training in all. Trained on {run.identities:,} people, "
            f"{run.images:,} images for the first seed (a seed decides who is held out), {_span(epochs)} epochs, "
            f"{_span(steps)} steps each. The weights that are measured are those of the epoch that was best on "
            "training people held out; LFW is measured once a run, at the end, and decides nothing.",
            "",
        ]
    for run in result.diverged:
        lines += [f"{run.title}, seed {run.seed}: the loss became no number at step {run.step:,}; no model.", ""]
    return lines


def _accuracy_table(result):
    far = _supported_far(result)
    pairs = result.runs[0].lfw
    lines = [
        "## Verification",
        "",
        f"LFW, view 2: {pairs.genuine_pairs:,} genuine and {pairs.impostor_pairs:,} impostor pairs, "
        f"{len(pairs.fold_accuracies)} folds, each judged with the others' threshold; an embedding is the sum of those "
        "of a face and of its mirror image. ± is the standard deviation over folds, the interval is of 95 % by "
        "resampling people. Of several seeds a figure is the mean, and the last column has each.",
        "",
    ]
    if far != _FARS[0]:
        lines += [
            f"TAR at FAR {_FARS[0]:g} is not printed: so few impostor pairs can't support it "
            f"({pairs.impostor_pairs:,} of them).",
            "",
        ]
    lines += [
        f"| variant | backbone, weights | seeds | LFW accuracy | 95 % | AUC | TAR at FAR {far:g} | held out | each |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for title, runs in _by_variant(result.runs):
        accuracy, spread, auc, held_out = (
            _mean(runs, of)
            for of in (
                lambda run: run.lfw.accuracy_mean,
                lambda run: run.lfw.accuracy_std,
                lambda run: run.lfw.auc,
                lambda run: run.held_out_accuracy,
            )
        )
        tar = "–" if runs[0].lfw.tar_at_far[far] is None else f"{_mean(runs, lambda run: run.lfw.tar_at_far[far]):.2%}"
        low, high = (_mean(runs, lambda run, end=end: _interval(run)[end]) for end in (0, 1))
        lines.append(
            f"| {title} | {runs[0].backbone}, {runs[0].parameters:,} | {len(runs)} | {accuracy:.2%} ± {spread:.2%} | "
            f"{low:.2%} – {high:.2%} | {auc:.4f} | {tar} | {held_out:.2%} | "
            f"{', '.join(f'{run.lfw.accuracy_mean:.2%}' for run in runs)} |"
        )
    return [*lines, ""]


def _angle_table(result):
    lines = [
        "## Angles within and between people",
        "",
        "ArcFace's table 3, in degrees. On the training images: W-EC, a prototype and the centre of its class's "
        "embeddings; W-Inter, a prototype and the nearest other; Intra1, an embedding and its person's centre; Inter1, "
        "a centre and the nearest other. On LFW's images: Intra2, Inter2. Of several seeds the mean.",
        "",
        "| variant | W-EC | W-Inter | Intra1 | Inter1 | Intra2 | Inter2 | genuine pairs | impostor pairs |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    columns = (
        lambda run: run.training_angles.prototype_to_centre,
        lambda run: run.training_angles.between_prototypes,
        lambda run: run.training_angles.intra,
        lambda run: run.training_angles.inter,
        lambda run: run.lfw_class_angles.intra,
        lambda run: run.lfw_class_angles.inter,
        lambda run: run.lfw_angles.genuine_mean_degrees,
        lambda run: run.lfw_angles.impostor_mean_degrees,
    )
    for title, runs in _by_variant(result.runs):
        lines.append(f"| {title} | {' | '.join(_degrees(runs, column) for column in columns)} |")
    return [*lines, ""]


def _loss_table(result):
    lines = [
        "## Training",
        "",
        "Losses are in nats, means over the first and the last epoch; those of different heads don't compare.",
        "",
        "| variant | seed | first loss | last loss | best epoch | minutes | images/s |",
        "|---|---|---|---|---|---|---|",
    ]
    for run in result.runs:
        lines.append(
            f"| {run.title} | {run.seed} | {run.first_loss:.3f} | {run.last_loss:.3f} | {run.best_epoch} of "
            f"{run.epochs} | {run.wall_seconds / 60:.0f} | {run.images_per_second:.0f} |"
        )
    return [*lines, ""]


def _figures(result, folder, link):
    from kerasface.plot import accuracy_dots, angle_rows, save

    variants = _by_variant(result.runs)
    accuracies = {title: [(run.lfw.accuracy_mean, *_interval(run)) for run in runs] for title, runs in variants}
    save(accuracy_dots(accuracies), folder / f"{result.name}_accuracy.png")
    save(angle_rows({title: runs[0].lfw_angles for title, runs in variants}), folder / f"{result.name}_angles.png")
    return [
        "## Figures",
        "",
        f"![LFW accuracy of every run, with its interval]({link}/{result.name}_accuracy.png)",
        "",
        "Angles of LFW's genuine and impostor pairs, of each variant's first seed:",
        "",
        f"![Histograms of angles]({link}/{result.name}_angles.png)",
    ]


def _by_variant(runs):
    """(title, runs) of each variant in the order in which they ran."""
    groups = {}
    for run in runs:
        groups.setdefault(run.variant, []).append(run)
    return [(group[0].title, group) for group in groups.values()]


def _supported_far(result):
    """The lowest rate that every run's impostor pairs support."""
    for far in _FARS:
        if all(run.lfw.tar_at_far[far] is not None for run in result.runs):
            return far
    return _FARS[-1]


def _interval(run):
    return run.lfw.intervals.accuracy


def _mean(runs, of):
    return float(np.mean([of(run) for run in runs]))


def _degrees(runs, of):
    return "–" if None in [of(run) for run in runs] else f"{_mean(runs, of):.1f}"


def _span(values):
    low, high = min(values), max(values)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
