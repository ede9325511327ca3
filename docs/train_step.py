"""Writes docs/train_step.md from benchmarks/results/train_step.json: python docs/train_step.py."""

import json
from pathlib import Path

HERE = Path(__file__).parent
RESULT = HERE.parent / "benchmarks" / "results" / "train_step.json"
PAGE = HERE / "train_step.md"
# TensorFlow's kernels by what they do to a batch's feature maps; the rest moves smaller things about.
KINDS = {
    "convolutions": ("Conv2D", "DepthwiseConv2d", "_FusedConv2D", "_FusedDepthwiseConv2d"),
    "matrix products": ("MatMul", "_FusedMatMul", "BatchMatMul"),
    "batch norm": ("FusedBatchNorm", "_FusedBatchNorm"),
    "elementwise": (
        "Mul", "Add", "AddV2", "Sub", "Relu", "ReluGrad", "Neg", "Select", "SelectV2", "Maximum", "Minimum", "Square",
        "SquaredDifference", "Rsqrt", "RealDiv", "AddN", "Greater", "Less", "GreaterEqual", "Cast", "_FusedMulAdd",
    ),
    "sums and means": ("Sum", "Mean", "Max", "BiasAddGrad"),
}  # fmt: skip
SHOWN = 8
# Share of all kernels' time from which one is worth a word.
NOTABLE = 0.03


def page(result):
    """The page's text."""
    machine, versions = result["machine"], result["versions"]
    lines = [
        "# How fast a training step is",
        "",
        "Written by `python docs/train_step.py` from `benchmarks/results/train_step.json`, which `python "
        "benchmarks/train_step.py` measured; nothing here is typed by hand. A full step, forward, backward and SGD "
        f"with momentum and weight decay, of a backbone with ArcFace over {result['classes']:,} people; batches of "
        f"{result['batch']} pictures of 112×112 in memory, {result['threads']} threads of {machine['processor']}. "
        f"TensorFlow {versions['tensorflow']}, Keras {versions['keras']}, torch {versions['torch']} (channels_last, "
        "autocast for bfloat16). All contenders run in turn; a ratio is the median over the rounds of the speed "
        "relative to PyTorch's of the same precision in the same round. The goal is at least 1.00.",
        "",
        f"Beside it: a float32 matrix product of 2048×2048 reaches {result['product_rate']:.0f} billion "
        "multiply-adds a second here.",
        "",
    ]
    for name, network in result["networks"].items():
        lines += [f"## {name}", "", *_table(network, result["product_rate"]), *_profile(network)]
        lines += [_bound(network, result["product_rate"]), ""]
    return "\n".join(lines).rstrip() + "\n"


def _table(network, product_rate):
    lines = [
        f"{network['parameters']:,} parameters; a step of {network['multiply_adds']:.0f} billion multiply-adds, the "
        "backward pass counted as two forward ones.",
        "",
        "| | images/s | × PyTorch of this precision | billion multiply-adds/s | of the product's rate |",
        "|---|---|---|---|---|",
    ]
    for name, row in network["rows"].items():
        rate = row["multiply_adds_per_second"]
        lines.append(
            f"| {name} | {row['images_per_second']:.1f} | {row['of_pytorch']:.2f} | {rate:.0f} | "
            f"{rate / product_rate:.0%} |"
        )
    return [*lines, ""]


def _profile(network):
    lines = ["What our step's time goes into, by TensorFlow's profiler, in shares of all kernels' seconds:", ""]
    lines += [f"| precision | {' | '.join(KINDS)} | the rest |", f"|---|{'---|' * (len(KINDS) + 1)}"]
    for precision, kernels in network["kernels"].items():
        total = sum(kernel["seconds"] for kernel in kernels.values())
        shares = dict.fromkeys([*KINDS, "the rest"], 0.0)
        for name, kernel in kernels.items():
            shares[_kind(name)] += kernel["seconds"] / total
        lines.append(f"| {precision} | {' | '.join(f'{share:.0%}' for share in shares.values())} |")
    bound = {}
    for precision, kernels in network["kernels"].items():
        total = sum(kernel["seconds"] for kernel in kernels.values())
        longest = sorted(kernels.items(), key=lambda entry: -entry[1]["seconds"])[:SHOWN]
        bound[precision] = ", ".join(
            f"`{name}` {kernel['seconds'] / total:.0%} ({kernel['count']} of them)" for name, kernel in longest
        )
    lines.append("")
    for precision, text in bound.items():
        lines += [f"The longest in {precision}: {text}.", ""]
    return lines


def _bound(network, product_rate):
    """What bounds the step: how near it comes to a matrix product, passes over memory, kernels that bfloat16 slows."""
    kernels = network["kernels"]
    used = network["rows"]["ours, float32"]["multiply_adds_per_second"] / product_rate
    passes = _share(kernels["float32"], ("batch norm", "elementwise", "sums and means"))
    text = (
        f"**What bounds it.** In float32 the step reaches {used:.0%} of the product's rate and spends {passes:.0%} of "
        "its kernels' time in passes over feature maps that hold no product (batch norm, PReLU, sums). "
    )
    slower = {
        name: kernel["seconds"] / kernels["float32"][name]["seconds"]
        for name, kernel in kernels["bfloat16"].items()
        if name in kernels["float32"] and kernel["seconds"] > NOTABLE * _total(kernels["bfloat16"])
    }
    worst = max(slower, key=lambda name: slower[name])
    half = _total(kernels["bfloat16"]) / _total(kernels["float32"])
    return text + (
        f"bfloat16 brings all kernels together to {half:.2f} of their float32 time; `{worst}` alone takes "
        f"{slower[worst]:.1f} times as long as in float32."
    )


def _total(kernels):
    return sum(kernel["seconds"] for kernel in kernels.values())


def _share(kernels, kinds):
    return sum(kernel["seconds"] for name, kernel in kernels.items() if _kind(name) in kinds) / _total(kernels)


def _kind(kernel):
    plain = kernel.removeprefix("_Mkl").removeprefix("_MklNative").removeprefix("Native").lstrip("_")
    for kind, beginnings in KINDS.items():
        if kind in ("elementwise", "sums and means"):
            if plain in beginnings:
                return kind
        elif plain.startswith(tuple(begin.lstrip("_") for begin in beginnings)):
            return kind
    return "the rest"


if __name__ == "__main__":
    PAGE.write_text(page(json.loads(RESULT.read_text(encoding="utf-8"))), encoding="utf-8")
