"""From files to batches: images/s of folder, packed set and .rec, beside decoding alone and a PyTorch DataLoader.

    python benchmarks/input_pipeline.py DATA [--quick] [--json PATH]

DATA: class folder of aligned 112×112 JPEGs. Floor: `tf.io.decode_jpeg` alone over the same bytes in memory, on all
cores, batched inside a graph, by the faster of two ways to write it. Batches of 128; files are in the page cache. Needs
torch (CPU build) beside kerasface[train].
"""

import math
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import PIL
import tensorflow as tf
import torch
from measure import arguments, keep, ratio, side_by_side
from PIL import Image, ImageEnhance, ImageOps

from kerasface.data import Augmentation, batches, open_faces, pack_faces, read_folder, write_record_file

BATCH, SIZE = 128, (112, 112)
# What the project's own recipes do.
AUGMENTATION = Augmentation(
    mirror=0.5, shift=0.03, rotation=5.0, zoom=0.05, brightness=0.1, contrast=0.2, saturation=0.2
)
CORES = os.cpu_count()
PLAIN = ("folder", "packed", "rec")
FLOORS = ("floor, graph", "floor, tf.data")
TORCH, TORCH_AUGMENTED = "PyTorch", "PyTorch, augmented"


def decoded(contents):
    return tf.map_fn(
        lambda content: tf.io.decode_jpeg(content, channels=3),
        contents,
        fn_output_signature=tf.TensorSpec((*SIZE, 3), tf.uint8),
        parallel_iterations=4 * CORES,
    )


def floors(contents):
    """Decoding alone: one batch after another in a graph, and several at once in tf.data."""
    contents = tf.constant(contents)
    graph = tf.function(decoded)

    def in_turn():
        for start in range(0, len(contents), BATCH):
            graph(contents[start : start + BATCH])

    stream = tf.data.Dataset.from_tensor_slices(contents).batch(BATCH)
    stream = stream.map(decoded, num_parallel_calls=CORES).prefetch(2)
    return dict(zip(FLOORS, (in_turn, lambda: exhaust(stream)), strict=True))


def ours(faces, augmentation=None):
    """One epoch of `batches`; its graph is built before the clock, as the DataLoader's workers are started before."""
    steps = len(faces) // BATCH
    stream = batches(faces, batch_size=BATCH, seed=0, size=SIZE, augmentation=augmentation, last_step=steps)
    return lambda: exhaust(stream)


def exhaust(stream):
    for _ in stream:
        pass


class Photos(torch.utils.data.Dataset):
    """Files read by Pillow and augmented by Pillow, as `AUGMENTATION` does it."""

    def __init__(self, faces, augmentation=None):
        self.files, self.labels = [str(photo) for photo in faces.photos], faces.labels.tolist()
        self.augmentation = augmentation

    def __len__(self):
        return len(self.files)

    def __getitem__(self, row):
        with Image.open(self.files[row]) as photo:
            image = photo.convert("RGB")
        if self.augmentation is not None:
            image = pillow_augmented(image, self.augmentation, torch.rand(8).tolist())
        return torch.from_numpy(np.array(image)), self.labels[row]


def pillow_augmented(image, by, draw):
    signed = [2 * uniform - 1 for uniform in draw]
    if draw[0] < by.mirror:
        image = ImageOps.mirror(image)
    width, height = image.size
    angle, scale = math.radians(by.rotation * signed[1]), 1 + by.zoom * signed[2]
    cosine, sine = math.cos(angle) / scale, math.sin(angle) / scale
    to_x, to_y = (0.5 + by.shift * signed[3]) * width, (0.5 + by.shift * signed[4]) * height
    rows = (
        cosine, -sine, width / 2 - cosine * to_x + sine * to_y, sine, cosine, height / 2 - sine * to_x - cosine * to_y
    )  # fmt: skip
    image = image.transform(image.size, Image.Transform.AFFINE, rows, Image.Resampling.BILINEAR)
    image = ImageEnhance.Color(image).enhance(1 + by.saturation * signed[5])
    image = ImageEnhance.Contrast(image).enhance(1 + by.contrast * signed[6])
    return ImageEnhance.Brightness(image).enhance(1 + by.brightness * signed[7])


def pytorch(faces, augmentation=None):
    """One epoch of a DataLoader of uint8 batches, as ours, with a worker a core; they are started before the clock."""
    loader = torch.utils.data.DataLoader(
        Photos(faces, augmentation),
        batch_size=BATCH,
        shuffle=True,
        num_workers=CORES,
        persistent_workers=True,
        drop_last=True,
    )
    return lambda: exhaust(loader)


def processor_microseconds(contenders, count):
    """Time of all of this process' threads, by image: what a pass costs, whoever else is on the machine."""
    found = {}
    for name, run in contenders.items():
        used = []
        for _ in range(3):
            started = time.process_time()
            run()
            used.append((time.process_time() - started) / count * 1e6)
        found[name] = min(used)
    return found


def main():
    """Runs all contenders and keeps the result."""
    data = sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else None
    options = arguments(__doc__.splitlines()[0] + " DATA comes first.")
    if data is None:
        sys.exit("name a class folder of aligned 112x112 JPEGs: benchmarks/input_pipeline.py DATA")
    tf.config.threading.set_intra_op_parallelism_threads(CORES)
    tf.config.threading.set_inter_op_parallelism_threads(CORES)
    rounds, count = (3, 1024) if options.quick else (11, 4096)
    faces = read_folder(data)
    count = min(count, len(faces)) // BATCH * BATCH
    faces = faces.take(np.arange(count))
    with tempfile.TemporaryDirectory() as folder:
        pack_faces(faces, Path(folder) / "packed")
        write_record_file(faces, Path(folder) / "faces.rec")
        sources = dict(
            zip(PLAIN, (faces, open_faces(f"{folder}/packed"), open_faces(f"{folder}/faces.rec")), strict=True)
        )
        contenders = {
            **floors(faces.read_rows(np.arange(count))),
            **{name: ours(source) for name, source in sources.items()},
            **{f"{name}, augmented": ours(source, AUGMENTATION) for name, source in sources.items()},
            TORCH: pytorch(faces),
            TORCH_AUGMENTED: pytorch(faces, AUGMENTATION),
        }
        seconds = side_by_side(contenders, rounds=rounds)
        used = processor_microseconds(
            {name: run for name, run in contenders.items() if not name.startswith("PyTorch")}, count
        )
    result = summary(seconds, used, count)
    show(result["rows"])
    keep("input_pipeline", result, options)


def summary(seconds, used, count):
    floor = min(FLOORS, key=lambda name: statistics.median(seconds[name]))
    rows = {}
    for name, times in seconds.items():
        peer = TORCH_AUGMENTED if "augmented" in name else TORCH
        rows[name] = {
            "images_per_second": count / statistics.median(times),
            "of_floor": ratio(seconds, floor, name),
            "of_pytorch": ratio(seconds, peer, name),
            "processor_microseconds": used.get(name),
        }
    versions = {"tensorflow": tf.__version__, "torch": torch.__version__, "pillow": PIL.__version__}
    return {"images": count, "batch": BATCH, "floor": floor, "versions": versions, "rows": rows}


def show(rows):
    print(f"{'':22s} {'images/s':>9s} {'x floor':>8s} {'x PyTorch':>10s} {'processor us':>13s}")
    for name, row in rows.items():
        used = f"{row['processor_microseconds']:13.0f}" if row["processor_microseconds"] else ""
        print(f"{name:22s} {row['images_per_second']:9.0f} {row['of_floor']:8.2f} {row['of_pytorch']:10.2f} {used}")


if __name__ == "__main__":
    main()
