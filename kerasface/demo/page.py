"""The demo's page: one HTML file with every figure inside, readable without a network."""

import json
from pathlib import Path

import jinja2

from kerasface import plot
from kerasface.evaluation import pair_angles, roc_curve
from kerasface.plot.style import inline_png

__all__ = ["write_page"]


def write_page(result, path, *, scores, same, probes, verdicts):
    """Draws the figures and writes the page.

    Args:
        result: `DemoResult`.
        path: of the .html file.
        scores: (P,) cosines of the test pairs.
        same: (P,) bool.
        probes: (K, H, W, 3) uint8 faces shown to the device.
        verdicts: K dicts with `truth`, `answer`, `score` and `right`.
    """
    angles = pair_angles(scores, same)
    captions = [f"is {v['truth']}\nanswer: {v['answer']}\ncosine {v['score']:.2f}" for v in verdicts]
    colors = [plot.ACCEPTED if v["right"] else plot.REJECTED for v in verdicts]
    history = {key: [epoch[key] for epoch in result.history] for key in ("loss", "validation_accuracy")}
    figures = {
        "faces": plot.face_grid(list(probes), captions, colors, columns=6),
        "training": plot.training_curve(history),
        "roc": plot.roc({"demo embedder": roc_curve(scores, same)}),
        "angles": plot.angle_histograms(angles, result.threshold["cosine"]),
    }
    template = jinja2.Environment(
        loader=jinja2.PackageLoader("kerasface.demo", "."), autoescape=True, undefined=jinja2.StrictUndefined
    ).get_template("report.html")
    images = {name: inline_png(figure) for name, figure in figures.items()}
    text = template.render(r=json.loads(result.to_json()), images=images)
    Path(path).write_text(text, encoding="utf-8")
