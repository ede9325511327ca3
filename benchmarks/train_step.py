"""A full training step of ours beside the same network in PyTorch: images/s, and what the step's time goes into.

    python benchmarks/train_step.py [--quick] [--json PATH]

MobileFaceNet-512 and SphereFace-20 with ArcFace over 10,572 people, batch 64 of 112×112 pictures in memory, 2 threads:
forward, backward, and SGD with momentum and weight decay, in float32 and bfloat16. PyTorch: channels_last, autocast.
Needs torch (CPU build) beside kerasface[train].
"""

import os
import statistics

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
import torch
from kernels import kernel_seconds
from measure import arguments, keep, ratio, side_by_side
from torch_networks import ArcFaceHead, mobile_facenet, sphereface20

from kerasface import FaceModel, backbones, heads
from kerasface.backbones.complexity import multiply_adds, parameters
from kerasface.training import CoupledSGD

BATCH, SIZE, DIM, THREADS, CLASSES = 64, 112, 512, 2, 10_572
SCALE, MARGIN, RATE, MOMENTUM, DECAY = 64.0, 0.5, 1e-3, 0.9, 5e-4
NETWORKS = {
    "MobileFaceNet-512": (lambda dtype: backbones.get("mobilefacenet", embedding_dim=DIM, dtype=dtype), mobile_facenet),
    "SphereFace-20": (
        lambda dtype: backbones.get(
            "spherefacenet", depth=20, input_shape=(SIZE, SIZE, 3), embedding_dim=DIM, dtype=dtype
        ),
        sphereface20,
    ),
}
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


def faces():
    """A batch of noise: a step takes as long as with faces."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (BATCH, SIZE, SIZE, 3), np.uint8), rng.integers(0, CLASSES, BATCH)


def ours(network, precision):
    """`FaceModel`'s own step, as `fit` calls it."""
    model = FaceModel(NETWORKS[network][0](PRECISIONS[precision]), heads.ArcFace(CLASSES, scale=SCALE, margin=MARGIN))
    model.compile(CoupledSGD(RATE, MOMENTUM, DECAY))
    stream = iter(tf.data.Dataset.from_tensors(faces()).repeat())
    model.make_train_function()
    step = model.train_function

    def run():
        return float(step(stream)["loss"])

    run.model = model
    return run


def pytorch(network, precision):
    """The step as PyTorch users write it."""
    backbone = NETWORKS[network][1](DIM).to(memory_format=torch.channels_last).train()
    head = ArcFaceHead(CLASSES, DIM, SCALE, MARGIN)
    weights = [*backbone.parameters(), *head.parameters()]
    optimizer = torch.optim.SGD(weights, RATE, momentum=MOMENTUM, weight_decay=DECAY)
    images, labels = (torch.from_numpy(part) for part in faces())
    images = images.permute(0, 3, 1, 2)  # channels last in memory already

    def run():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            embeddings = backbone((images.float() - 127.5) / 127.5)
        loss = head(embeddings, labels)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    run.parameters = sum(weight.numel() for weight in backbone.parameters())
    return run


def product_rate():
    """Billions of multiply-adds a second of a float32 matrix product: what the cores can do at best."""
    side = 2048
    matrix = tf.random.normal((side, side))
    product = tf.function(lambda: tf.matmul(matrix, matrix))
    seconds = side_by_side({"product": product}, rounds=7)["product"]
    return side**3 / statistics.median(seconds) / 1e9


def compare(network, rounds):
    """All contenders of one network."""
    contenders = {}
    for precision in PRECISIONS:
        contenders[f"ours, {precision}"] = ours(network, precision)
        contenders[f"PyTorch, {precision}"] = pytorch(network, precision)
    model = contenders["ours, float32"].model
    own, theirs = parameters(model.backbone), contenders["PyTorch, float32"].parameters
    if own != theirs:
        raise SystemExit(f"{network}: {own:,} parameters here, {theirs:,} in PyTorch: not the same network")
    seconds = side_by_side(contenders, rounds=rounds)
    # A step is a forward pass and two of the same size backward.
    work = 3 * BATCH * (multiply_adds(model.backbone) + CLASSES * DIM)
    rows = {}
    for name, times in seconds.items():
        median = statistics.median(times)
        peer = f"PyTorch, {name.split(', ')[1]}"
        rows[name] = {
            "seconds": median,
            "images_per_second": BATCH / median,
            "of_pytorch": ratio(seconds, peer, name),
            "multiply_adds_per_second": work / median / 1e9,
        }
        print(
            f"{network:20s} {name:20s} {BATCH / median:7.1f} images/s  {rows[name]['of_pytorch']:.2f} x PyTorch",
            flush=True,
        )
    kernels = {precision: kernel_seconds(contenders[f"ours, {precision}"], rounds=2) for precision in PRECISIONS}
    return {"parameters": own, "multiply_adds": work / 1e9, "rows": rows, "kernels": kernels}


def main():
    """Runs all networks and keeps the result."""
    options = arguments(__doc__.splitlines()[0])
    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(THREADS)
    torch.set_num_threads(THREADS)
    networks, rounds = (list(NETWORKS)[:1], 3) if options.quick else (list(NETWORKS), 11)
    versions = {"tensorflow": tf.__version__, "keras": keras.__version__, "torch": torch.__version__}
    result = {
        "batch": BATCH, "threads": THREADS, "classes": CLASSES, "versions": versions,
        "product_rate": product_rate(),
        "networks": {network: compare(network, rounds) for network in networks},
    }  # fmt: skip
    keep("train_step", result, options)


if __name__ == "__main__":
    main()
