"""Margin heads, forward and backward and nothing else: time beside the three matrix products, and peak memory.

    python benchmarks/heads.py [--quick] [--json PATH]

Floor: the three matrix products that no head can do without (logits, d embeddings, d prototypes). B = 256, D = 512,
float32, 2 threads, random faces. Needs torch (CPU build) beside kerasface[train].
"""

import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
import torch
from kernels import kernel_seconds
from measure import PeakMemory, arguments, in_fresh_process, keep, ratio, side_by_side

from kerasface.heads import ArcFace, PartialFC
from kerasface.training import CoupledSGD

BATCH, DIM, THREADS = 256, 512, 2
CHUNK = 1024
RATE = 0.1
MARGIN, SCALE = 0.5, 64.0

FLOOR = "floor"
NAMES = {
    FLOOR: "three matrix products (floor)",
    "fused": "ours, fused",
    "chunked": "ours, chunked",
    "one_hot": "dense one-hot, as Keras ports do it",
    "torch": "PyTorch: normalise, linear, scatter, CrossEntropyLoss",
}


def faces(classes):
    """Embeddings, labels and prototypes, the same for every contender."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((BATCH, DIM), dtype=np.float32)
    return x, rng.integers(0, classes, BATCH), rng.standard_normal((classes, DIM), dtype=np.float32)


def floor(classes):
    """The three products; the logits stand in for their own gradient."""
    x, _, prototypes = faces(classes)
    x, prototypes = tf.constant(x), tf.Variable(prototypes)

    @tf.function
    def run():
        logits = tf.matmul(x, prototypes, transpose_b=True)
        return tf.matmul(logits, prototypes), tf.matmul(logits, x, transpose_a=True)

    return run


def ours(classes, chunk_size=None):
    """`ArcFace.loss` and its gradients."""
    x, labels, prototypes = faces(classes)
    head = _arcface(classes, prototypes, chunk_size)
    return _gradients(lambda x: head.loss(x, tf.constant(labels), training=True), x, head.prototypes.value)


def one_hot(classes):
    """The formulation that Keras ports use: every angle, a one-hot mask, categorical cross-entropy."""
    x, labels, prototypes = faces(classes)
    prototypes = tf.Variable(prototypes)

    def loss(x):
        mask = tf.one_hot(labels, classes)
        cosines = tf.matmul(tf.nn.l2_normalize(x, axis=1), tf.nn.l2_normalize(prototypes, axis=1), transpose_b=True)
        theta = tf.acos(tf.clip_by_value(cosines, -1.0 + 1e-7, 1.0 - 1e-7))
        logits = SCALE * tf.where(mask > 0, tf.cos(theta + MARGIN), cosines)
        return keras.losses.categorical_crossentropy(mask, logits, from_logits=True)

    return _gradients(loss, x, prototypes)


def pytorch(classes):
    """The common PyTorch formulation."""
    x, labels, prototypes = faces(classes)
    x = torch.from_numpy(x).requires_grad_()
    weight = torch.from_numpy(prototypes).requires_grad_()
    labels = torch.from_numpy(labels)
    loss = torch.nn.CrossEntropyLoss()

    def run():
        x.grad = weight.grad = None
        cosines = torch.nn.functional.linear(torch.nn.functional.normalize(x), torch.nn.functional.normalize(weight))
        target = cosines.gather(1, labels[:, None]).clamp(-1 + 1e-7, 1 - 1e-7)
        logits = cosines.scatter(1, labels[:, None], torch.cos(torch.acos(target) + MARGIN))
        loss(logits * SCALE, labels).backward()

    return run


def steps(classes):
    """Training steps of one set of prototypes, updates with momentum and decay included: all classes, and a sample."""
    x, labels, prototypes = faces(classes)
    head = _arcface(classes, prototypes, CHUNK)
    sampled = PartialFC(head, rate=RATE)
    sampled.build((None, DIM))
    optimizer = CoupledSGD(0.1, momentum=0.9, coupled_decay=5e-4)
    optimizer.build([head.prototypes])
    x, labels = tf.constant(x), tf.constant(labels)

    def step(layer):
        @tf.function
        def run():
            with tf.GradientTape() as tape:
                tape.watch(x)
                loss = tf.reduce_mean(layer.loss(x, labels, training=True))
            by_x, by_prototypes = tape.gradient(loss, [x, head.prototypes.value])
            optimizer.apply([by_prototypes], [head.prototypes])
            return by_x

        return run

    return {"full": step(head), "partial": step(sampled)}


CONTENDERS = {
    FLOOR: floor,
    "fused": ours,
    "chunked": lambda classes: ours(classes, CHUNK),
    "one_hot": one_hot,
    "torch": pytorch,
}


def _arcface(classes, prototypes, chunk_size):
    # Born with its values: an assignment afterwards would leave TensorFlow's allocator with free buffers of the
    # prototypes' size, in which a peak could hide.
    head = ArcFace(
        classes, scale=SCALE, margin=MARGIN, chunk_size=chunk_size, initializer=lambda *_, **__: tf.constant(prototypes)
    )
    head.build((None, DIM))
    return head


def _gradients(loss, x, prototypes):
    x = tf.constant(x)

    @tf.function
    def run():
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(loss(x))
        return tape.gradient(total, [x, prototypes])

    return run


def memory_of(name, classes):
    """Megabytes at a run's peak, without the two gradients, in buffers of (B, C) float32 too.

    It is the second run's: kernels, thread pools and graphs, which the first one makes, are nobody's buffers.
    """
    run = CONTENDERS[name](classes)
    run()
    with PeakMemory() as peak:
        gradients = run()  # noqa: F841 (alive until the peak is taken)
    beyond = peak.megabytes - 4 * (classes + BATCH) * DIM / 2**20
    return {"megabytes": beyond, "buffers": beyond / (4 * BATCH * classes / 2**20)}


def compare(classes, names, rounds):
    """Times and memory of the contenders at one number of classes."""
    seconds = side_by_side({name: CONTENDERS[name](classes) for name in names}, rounds=rounds)
    rows = {}
    for name in names:
        memory = in_fresh_process(__file__, "memory", name, classes)
        rows[name] = {
            "seconds": sorted(seconds[name])[rounds // 2],
            "ratio": ratio(seconds, name, FLOOR),
            "memory": memory,
        }
        print(
            f"C = {classes:>9,}  {NAMES[name]:55s} {rows[name]['seconds']:8.3f} s  {rows[name]['ratio']:5.2f} x floor  "
            f"{memory['buffers']:6.2f} (B, C) buffers",
            flush=True,
        )
    return rows


def kernels_of(classes):
    """Kernel times of the floor and of the fused loss."""
    runs = {name: CONTENDERS[name](classes) for name in (FLOOR, "fused")}
    for run in runs.values():
        run()
    return {name: kernel_seconds(run) for name, run in runs.items()}


def compare_steps(classes, rounds):
    """A whole training step of the prototypes, all classes against the sampled ones."""
    seconds = side_by_side(steps(classes), rounds=rounds)
    result = {name: {"seconds": sorted(times)[rounds // 2]} for name, times in seconds.items()}
    return {**result, "ratio": ratio(seconds, "partial", "full")}


def main():
    """Runs all cases and keeps the result."""
    options = arguments(__doc__.splitlines()[0])
    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(THREADS)
    torch.set_num_threads(THREADS)
    cases = [10_572] if options.quick else [10_572, 85_742]
    rounds = 3 if options.quick else 11
    result = {
        "batch": BATCH, "dim": DIM, "threads": THREADS, "chunk": CHUNK, "names": NAMES, "versions": {
            "tensorflow": tf.__version__, "keras": keras.__version__, "torch": torch.__version__
        },
        "heads": {classes: compare(classes, list(CONTENDERS), rounds) for classes in cases},
        "kernels": {classes: kernels_of(classes) for classes in cases},
    }  # fmt: skip
    if not options.quick:
        million = 1_000_000
        # Processes of their own: beside the memory that TensorFlow keeps, a million classes would not fit in 24 GB.
        result["heads"][million] = in_fresh_process(__file__, "million", million)
        result["partial_fc"] = {million: in_fresh_process(__file__, "steps", million)}
        ratio_of_steps = result["partial_fc"][million]["ratio"]
        print(f"C = {million:>9,}  PartialFC r = {RATE}, update included: {ratio_of_steps:.3f} x the full head")
    keep("heads", result, options)


ALONE = {
    "memory": memory_of,
    "million": lambda classes: compare(classes, [FLOOR, "chunked"], 3),
    "steps": lambda classes: compare_steps(classes, 3),
}


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in ALONE:
        tf.config.threading.set_intra_op_parallelism_threads(THREADS)
        torch.set_num_threads(THREADS)
        what, *names, classes = sys.argv[1:]
        print(json.dumps(ALONE[what](*names, int(classes))))
    else:
        main()
