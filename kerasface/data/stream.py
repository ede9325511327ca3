"""Batches for training: an endless shuffled stream in which every position is decided by the seed alone."""

import io
import re

import numpy as np
import tensorflow as tf
from PIL import ExifTags, Image, ImageOps

from kerasface.data.samplers import PeopleByImages, Uniform
from kerasface.errors import KerasfaceError

__all__ = ["batches", "check_files", "files_of_batch"]

# Where JPEG and PNG have their EXIF, if any, and what it begins with: few photos are opened twice.
_HEAD, _EXIF = 4096, (b"Exif\0\0", b"eXIf")
_PARALLEL = 16  # images of a batch that are worked on at once, more than any machine has idle cores


def batches(
    faces, *, batch_size, seed, size, augmentation=None, teacher=None, sampler=None, first_step=0, last_step,
    replicas=1, worker=0, workers=1,
):  # fmt: skip
    """A tf.data stream of shuffled, decoded, augmented faces that can start anywhere.

    The sampler says which photo is image number p of the stream, from p and the seed; its augmentation is drawn from
    the seed and p. Nothing is stored between steps, so a run that resumes at step k sees exactly what it would have
    seen.

    Args:
        faces: `FaceSource`.
        batch_size: B.
        seed: int.
        size: (height, width) in pixels; photos of another size are refused.
        augmentation: `Augmentation` or None.
        teacher: (N, D) float32, a teacher's embedding of each photo, or None.
        sampler: `Uniform` (the default), `ClassBalanced` or `PeopleByImages`.
        first_step: first batch of the stream to give.
        last_step: the batch to stop before.
        replicas: R, over which a batch is spread. Each element of the stream is one replica's part, B ÷ R faces.
        worker, workers: which part of every batch this process reads, of how many. Together they read the batches that
            one would.

    Returns:
        `tf.data.Dataset` of ((B, height, width, 3) uint8, (B,) int32 labels); with a teacher the second is
        `{"label": (B,) int32, "teacher": (B, D) float32}`, as `FaceModel` expects it.

    Raises:
        tf.errors.OpError: while iterating: a photo that is gone, no image, damaged or of another size. TensorFlow's
            decoders don't say which one they stumbled over; `check_files` does.

    Example:
        >>> model.fit(batches(faces, batch_size=64, seed=0, size=(112, 112), last_step=210))
    """
    key = tf.constant(seed, tf.int64)
    rows_at = _bound(sampler or Uniform(), faces.labels, key, batch_size)
    labels = tf.constant(faces.labels)
    targets = None if teacher is None else tf.constant(teacher)

    def read(rows):
        return np.array([_decodable(content) for content in faces.read_rows(rows)], object)

    def decoded(content):
        return tf.ensure_shape(_pixels(content), (*size, 3))

    def augmented(content_and_place):
        content, place = content_and_place
        image = augmentation(tf.cast(decoded(content), tf.float32), seed=tf.stack([key, place]))
        # Bytes again: a photo has no more, and batches are a quarter as large on their way to the device.
        return tf.cast(tf.round(image), tf.uint8)

    def batch(places):
        rows = rows_at(places)
        # Read by Python, a batch at a time: TensorFlow has no operation that reads a span of a file, and opens whole
        # files no faster. The interpreter is held for microseconds an image; decoding and augmentation don't need it.
        contents = tf.ensure_shape(tf.numpy_function(read, [rows], tf.string, stateful=False), [batch_size // replicas])
        images = tf.map_fn(
            decoded if augmentation is None else augmented,
            contents if augmentation is None else (contents, places),
            fn_output_signature=tf.TensorSpec((*size, 3), tf.uint8),
            parallel_iterations=_PARALLEL,
        )
        label = tf.gather(labels, rows)
        return images, label if targets is None else {"label": label, "teacher": tf.gather(targets, rows)}

    part = batch_size // workers

    def own(place):
        return place // part * batch_size + worker * part + place % part

    stream = tf.data.Dataset.range(first_step * part, last_step * part).map(own)
    stream = stream.batch(batch_size // replicas, drop_remainder=True)
    return stream.map(batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(2)


def files_of_batch(faces, *, batch_size, seed, step, sampler=None):
    """Names the photos of one batch of `batches`.

    Args:
        faces: `FaceSource`.
        batch_size: B.
        seed: of the stream.
        step: number of the batch, from 0.
        sampler: of the stream.

    Returns:
        B texts, in the batch's order.

    Example:
        >>> files_of_batch(faces, batch_size=64, seed=0, step=4711)[0]
        'faces/person_0001/00003.png'
    """
    rows_at = _bound(sampler or Uniform(), faces.labels, tf.constant(seed, tf.int64), batch_size)
    rows = rows_at(tf.range(step * batch_size, (step + 1) * batch_size, dtype=tf.int64))
    photos = faces.photos
    return [str(photos[int(row)]) for row in rows]


def check_files(faces, *, size):
    """Decodes every photo as `batches` does, to find the one that it stumbled over.

    Args:
        faces: `FaceSource`.
        size: (height, width) in pixels.

    Raises:
        KerasfaceError: the first photo that can't be read or decoded or has another size.

    Example:
        >>> check_files(open_faces("faces/aligned"), size=(112, 112))
    """
    for photo in faces.photos:
        content = photo.read_bytes()
        try:
            height, width, _ = _pixels(_decodable(content)).shape
            received = f"{height}x{width}"
        except tf.errors.OpError as error:
            # TensorFlow wraps what its decoder says in the names of its own nodes.
            received = re.sub(r"^\{\{.*?\}\} | \[Op:.*", "", error.message.splitlines()[0]).rstrip(".")
        if received != (expected := f"{size[0]}x{size[1]}"):
            raise KerasfaceError(
                f"can't train on {photo}: expected a face aligned to {expected} pixels (height x width), JPEG, PNG or "
                f"BMP. Received: {received}. Align the photos first (kerasface align PHOTOS ALIGNED), or replace it."
            )


def _bound(sampler, labels, key, batch_size):
    if isinstance(sampler, PeopleByImages):
        return sampler.bind(labels, key, batch_size=batch_size)
    return sampler.bind(labels, key)


def _decodable(content):
    """What `_pixels` reads: BMP, which it doesn't, and photos that EXIF turns, which it ignores, become PNG."""
    if not content.startswith(b"BM") and not any(mark in content[:_HEAD] for mark in _EXIF):
        return content
    converted = io.BytesIO()
    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.format != "BMP" and image.getexif().get(ExifTags.Base.Orientation, 1) == 1:
                return content
            ImageOps.exif_transpose(image).convert("RGB").save(converted, "PNG")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return content  # TensorFlow's decoder will say that it is damaged, or how large it is
    return converted.getvalue()


def _pixels(content):
    # The accurate transform is as fast, and gives the very pixels that Pillow gives on the device.
    return tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE")
