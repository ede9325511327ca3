"""What a build measures of each file: LFW, CFP, and the people held out of training."""

import numpy as np

from kerasface.evaluation import pair_scores, represent, unit, verify
from kerasface.zoo.manifest import AT_THRESHOLD, Figure

__all__ = ["benchmark_figures", "held_out_figures", "representation"]

# Below, LFW's 3,000 impostor pairs say nothing, and `tar_at_far` gives none.
_FARS = (1e-1, 1e-2, 1e-3)
_ALONE, _MIRRORED = "the face alone", "the sum of the face's and its mirror image's embedding"


def benchmark_figures(embed, pair_set, *, format, thresholds=(), progress=None):
    """Measures a file on a benchmark in folds, without and with the mirror image.

    Args:
        embed: callable, uint8 (B, H, W, 3) RGB -> (B, D) float.
        pair_set: `evaluation.PairSet` with people.
        format: of the file, as the manifest calls it.
        thresholds: `Threshold`s of the file, chosen on other people: what they accept here is measured too.
        progress: called as `progress(done, total)`, in images.

    Returns:
        Tuple of `Figure`: accuracy, AUC and TAR at the rates that the pairs support, for each representation; FAR and
        TAR at each threshold, for the face alone.
    """
    pairs = pair_set.pairs
    faces = represent(embed, pair_set.images, progress=progress)
    mirrors = represent(
        lambda images: embed(np.ascontiguousarray(images[:, :, ::-1])), pair_set.images, progress=progress
    )
    figures = []
    for words, rows in ((_ALONE, faces), (_MIRRORED, unit(faces + mirrors))):
        result = verify(pair_scores(rows, pairs), pairs.same, pairs.folds, people=pairs.people)
        figures += _figures(result, pair_set.name, format, words)
    scores = pair_scores(faces, pairs)
    for threshold in thresholds:
        accepted = scores >= threshold.cosine
        for rate, of in (("FAR", ~pairs.same), ("TAR", pairs.same)):
            metric = f"{rate}{AT_THRESHOLD}{threshold.far:g}"
            protocol = (
                f"{_ALONE}; cosine {threshold.cosine:.4f}, chosen on {threshold.calibrated_on}; {of.sum():,} pairs"
            )
            figures.append(Figure(pair_set.name, format, metric, float(accepted[of].mean()), protocol))
    return tuple(figures)


def held_out_figures(embed, faces, pairs, *, format, progress=None):
    """Measures a file on the pairs of people that chose the epoch.

    Args:
        embed, format, progress: see `benchmark_figures`.
        faces: `FaceSource` of people held out of training.
        pairs: `Pairs` of their photos, those of the run's own validation.

    Returns:
        Tuple of `Figure`.
    """
    embeddings = represent(embed, faces.photos, batch_size=64, progress=progress)
    result = verify(pair_scores(embeddings, pairs), pairs.same, pairs.folds, people=pairs.people)
    words = f"{_ALONE}; {len(faces.names)} people held out of training, on whose pairs the epoch was chosen"
    return _figures(result, "held-out people", format, words)


def representation(figure):
    """How a figure's embeddings were made: the first part of its protocol."""
    return figure.protocol.split("; ")[0]


def _figures(result, benchmark, format, words):
    pairs = f"{result.genuine_pairs:,} genuine and {result.impostor_pairs:,} impostor pairs"
    folds = f"{len(result.fold_accuracies)} folds, each judged with the threshold that is best on the others"
    intervals = result.intervals

    def figure(metric, value, interval, protocol, std=None):
        low, high = interval
        return Figure(benchmark, format, metric, value, f"{words}; {protocol}; {pairs}", low, high, std)

    figures = [
        figure("accuracy", result.accuracy_mean, intervals.accuracy, folds, result.accuracy_std),
        figure("AUC", result.auc, intervals.auc, "all pairs together"),
    ]
    for far in _FARS:
        tar = result.tar_at_far[far]
        if tar is not None:
            figures.append(figure(f"TAR@FAR {far:g}", tar, intervals.tar_at_far[far], "all pairs together"))
    return tuple(figures)
