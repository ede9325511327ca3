"""Builds every backbone, counts it, asks XNNPACK about its exported file, and writes docs/backbones.md and its JSON.

python docs/backbones.py measure   # twenty minutes; then renders
python docs/backbones.py render    # the page from the JSON alone
"""

import json
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
RESULT = HERE / "results" / "backbones.json"
PAGE = HERE / "backbones.md"

# Name, arguments, and what the originals print: parameters in millions or whole, operations in units of 10⁹.
NETWORKS = (
    *(
        ("spherefacenet", {"depth": depth, "input_shape": (112, width, 3)}, f"{millions} M", None)
        for width, column in ((96, "12.56 15.22 22.67 32.77 48.19"), (112, "14.40 17.05 24.50 34.61 50.02"))
        for depth, millions in zip((4, 10, 20, 36, 64), column.split(), strict=True)
    ),
    ("iresnet18", {}, "24.03 M", None),
    ("iresnet34", {}, "34.14 M", None),
    ("iresnet50", {}, "43.59 M", None),
    ("iresnet50", {"squeeze_excitation": True}, None, None),
    ("iresnet100", {}, "65.16 M", None),
    ("iresnet200", {}, "118.8 M", None),
    ("mobilefacenet", {}, "1.003 M", None),
    ("mobilefacenet", {"embedding_dim": 512}, "1.20 M", None),
    ("mobilefacenet", {"width": 0.5}, None, None),
    ("mbf", {}, "2059520", "0.45 G"),
    *(("ghostfacenetv1", {"width": 1.0, "strides": strides}, None, None) for strides in (1, 2)),
    ("ghostfacenetv1", {"width": 1.3, "strides": 1}, "4.09 M with statistics", None),
    ("ghostfacenetv1", {"width": 1.3, "strides": 2}, None, None),
    *(("ghostfacenetv2", {"width": 1.0, "strides": strides}, None, None) for strides in (1, 2)),
    ("ghostfacenetv2", {"width": 1.3, "strides": 1}, "6795720", None),
    ("ghostfacenetv2", {"width": 1.3, "strides": 2}, None, None),
    ("micro", {}, None, None),
    ("vit_tiny", {}, None, None),
)
# One of each architecture goes to a device; depth and width only repeat the same operators.
EXPORTED = (
    ("spherefacenet", {"depth": 10}),
    ("iresnet18", {}),
    ("iresnet18", {"squeeze_excitation": True}),
    ("mobilefacenet", {}),
    ("mbf", {}),
    ("ghostfacenetv1", {}),
    ("ghostfacenetv2", {}),
    ("micro", {}),
    ("vit_tiny", {}),
)

INTRODUCTION = """\
# Backbones

Written by `python docs/backbones.py render` from `docs/results/backbones.json`; nothing here is typed by hand but what
the originals print.

*Parameters* are trained ones, the embedding layer included, no head. *With statistics* adds batch norm's means and
variances, as Keras and some papers do. *Multiply-adds* are those of convolutions, dense layers and attention's products
for one image, each counted once, those on padding too: what a converter leaves, because it folds the rest. *FLOPs* are
counted as ptflops does, whose figures insightface publishes: multiply-adds, and one operation for each bias and PReLU
output, two for each output of a normalisation.
""".splitlines()
DEVICES = """
## On devices

Each exported at 112×112 (SphereFaceNet at 112×96) to float32 TFLite and opened in LiteRT, whose default CPU path is
XNNPACK. One partition, with only the cast of the pixels and the last normalisation outside it, is the best there is.
""".splitlines()


def measure():
    """Counts all, exports some; keeps it in RESULT."""
    counted = [count(*network) for network in NETWORKS]
    with tempfile.TemporaryDirectory() as folder:
        exported = [export(name, arguments, Path(folder) / "net.tflite") for name, arguments in EXPORTED]
    result = {"counted": counted, "exported": exported}
    RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def count(name, arguments, published_parameters, published_flops):
    from kerasface import backbones

    print("counting", name, arguments)
    model = backbones.get(name, **arguments)
    return {
        "name": name,
        "arguments": {key: value for key, value in arguments.items() if key not in ("input_shape", "embedding_dim")},
        "input": list(model.input_shape[1:3]),
        "embedding_dim": model.output_shape[1],
        "parameters": backbones.parameters(model),
        "with_statistics": model.count_params(),
        "multiply_adds": backbones.multiply_adds(model),
        "flops": backbones.flops(model),
        "published_parameters": published_parameters,
        "published_flops": published_flops,
    }


def export(name, arguments, path):
    import keras
    import numpy as np

    from kerasface import backbones
    from kerasface.edge.delegation import delegation
    from kerasface.export import embedder_id, natural_images, to_tflite
    from kerasface.spec import EmbedderSpec

    print("exporting", name, arguments)
    keras.utils.set_random_seed(1)
    model = backbones.get(name, **arguments)
    height, width = model.input_shape[1:3]
    # Statistics of real magnitude, as after training: two passes are enough to leave those a network is born with.
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for layer in norms:
        layer.momentum = 0.0
    images = natural_images(16, height=height, width=width, seed=1).astype(np.float32)
    model((images - 127.5) / 127.5, training=True)
    spec = EmbedderSpec(
        name=name, embedder_id="", embedding_size=model.output_shape[1], input_height=height, input_width=width,
        template="none",
    )  # fmt: skip
    spec = spec.replace(embedder_id=embedder_id(model, spec))
    report = to_tflite(model, path, spec=spec, precision="fp32")
    taken = delegation(path)
    return {
        "name": name,
        "arguments": arguments,
        "max_abs": report.parity.max_abs,
        "images": report.parity.images,
        "operators": report.parity.operators,
        "partitions": taken.partitions,
        "outside": list(taken.outside),
    }


def page(result):
    columns = "backbone|arguments|input|D|parameters|published|with statistics|multiply-adds|FLOPs|published"
    lines = [*INTRODUCTION, *table(columns)]
    for row in result["counted"]:
        height, width = row["input"]
        lines.append(
            f"| `{row['name']}` | {arguments(row)} | {height}×{width} | {row['embedding_dim']} | {row['parameters']:,} "
            f"| {published(row['published_parameters'])} | {row['with_statistics']:,} | {giga(row['multiply_adds'])} "
            f"| {giga(row['flops'])} | {published(row['published_flops'])} |"
        )
    columns = "backbone|arguments|partitions|operators outside|operators|largest difference from Keras"
    lines += [*DEVICES, *table(columns)]
    for row in result["exported"]:
        lines.append(
            f"| `{row['name']}` | {arguments(row)} | {row['partitions']} | {', '.join(row['outside'])} "
            f"| {sum(row['operators'].values())} | {row['max_abs']:.1g} on {row['images']} images |"
        )
    return "\n".join([*lines, ""])


def table(columns):
    names = columns.split("|")
    return "", f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"


def arguments(row):
    return ", ".join(f"{key}={value}" for key, value in row["arguments"].items()) or "–"


def published(text):
    if text is None:
        return "–"
    return f"{int(text):,}" if text.isdigit() else text


def giga(operations):
    return f"{operations / 1e9:.3g} G" if operations >= 1e9 else f"{operations / 1e6:.1f} M"


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        measure()
    elif sys.argv[1:] != ["render"]:
        raise SystemExit(__doc__)
    PAGE.write_text(page(json.loads(RESULT.read_text(encoding="utf-8"))), encoding="utf-8")
