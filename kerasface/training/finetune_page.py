"""The report of a fine-tuning as Markdown."""

import numpy as np

__all__ = ["finetune_page"]


def finetune_page(report):
    """Returns the Markdown of a `FinetuneReport`: both models on the people that training did not see."""
    models = (report.before, report.after)
    rows = [
        ("members recognised", [f"{one.recognised:.1%}" for one in models]),
        ("strangers accepted", [f"{one.accepted:.1%}" for one in models]),
        ("cosine of members to their own template", [_spread(one.own) for one in models]),
        ("cosine of strangers to the nearest other", [_spread(one.nearest) for one in models]),
        ("thresholds of the two halves", [" and ".join(f"{t:.3f}" for t in one.thresholds) for one in models]),
    ]
    verdict = (
        "Fine-tuning helped on people whom it did not see."
        if report.helped
        else "Fine-tuning did not help on people whom it did not see: keep the model that it began with."
    )
    return "\n".join(
        [
            f"# {report.name}",
            "",
            f"{report.initial}, trained on {report.trained_images:,} photos of {report.trained_people:,} people; epoch "
            f"{report.best_epoch} was kept. Measured on {report.tested_images:,} photos of {report.tested_people:,} "
            "others, each of them once enrolled and once a stranger. Each half of them is judged with the threshold "
            f"that lets {report.before.fpir:.0%} of the other half's strangers pass.",
            "",
            "| | before | after |",
            "|---|---|---|",
            *(f"| {name} | {' | '.join(values)} |" for name, values in rows),
            "",
            verdict,
            "",
            "Cosines are medians, with the range from the 5th to the 95th percentile. Recognised members are FNIR's "
            "complement and accepted strangers the FPIR of ISO/IEC 19795-1. A gallery of other size, or photos of "
            "another kind, changes both.",
            "",
        ]
    )


def _spread(cosines):
    low, middle, high = np.percentile(cosines, [5, 50, 95])
    return f"{middle:.3f} ({low:.3f} to {high:.3f})"
