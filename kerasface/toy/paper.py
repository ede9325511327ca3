"""The settings of the papers' toy experiments, on one sheet."""

import dataclasses

from kerasface.toy.experiment import Setting, train_toy

__all__ = ["SCALE", "paper_settings", "run_paper"]

# Below the papers' 30 and 64, which belong to thousands of classes: in two dimensions scales of 16 and more often leave
# classes on top of each other. CosFace's lower bound (eq. 6) for 10 classes and p = 0.99 is 6.1.
SCALE = 8.0


def paper_settings(embedding_dim=2):
    """The heads that SphereFace, CosFace and ArcFace compare, in the order in which the papers let spread shrink.

    Args:
        embedding_dim: 2 or 3.

    Returns:
        Tuple of `Setting`.

    Example:
        >>> paper_settings(3)[0].name
        'Softmax'

    Reference:
        Liu et al., SphereFace, CVPR 2017, figure 2 and appendix D; Wang et al., CosFace, CVPR 2018, figure 5.
    """
    settings = (
        Setting("Softmax", "softmax"),
        Setting("Modified softmax", "modified_softmax"),
        *(Setting(f"A-Softmax, m = {m}", "a_softmax", {"margin": m}, annealed=True) for m in (1, 2, 3, 4)),
        Setting("NSL (NormFace)", "normface", {"scale": SCALE}),
        Setting("CosFace, m = 0.35", "cosface", {"scale": SCALE, "margin": 0.35}),
        Setting("ArcFace, m = 0.5", "arcface", {"scale": SCALE, "margin": 0.5}),
    )
    return tuple(dataclasses.replace(setting, embedding_dim=embedding_dim) for setting in settings)


def run_paper(digits, *, seed=0, epochs=8, progress=None):
    """Trains every setting of `paper_settings`, in two dimensions and in three.

    Args:
        digits: `Digits`.
        seed, epochs: see `train_toy`.
        progress: function of (done, total), called after each training.

    Returns:
        List of `ToyRun`, two dimensions first; `feature_sheet` draws it.

    Example:
        >>> sheet = feature_sheet(run_paper(load_digits()), digits)
    """
    settings = [*paper_settings(2), *paper_settings(3)]
    runs = []
    for setting in settings:
        runs.append(train_toy(setting, digits, seed=seed, epochs=epochs))
        if progress is not None:
            progress(len(runs), len(settings))
    return runs
