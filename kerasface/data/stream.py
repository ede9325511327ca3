"""Batches for training: an endless shuffled stream in which every position is decided by the seed alone."""

import re

import numpy as np
import tensorflow as tf

from kerasface.data.samplers import PeopleByImages, Uniform
from kerasface.data.source import WHOLE
from kerasface.errors import KerasfaceError

__all__ = ["batches", "check_files"]


def batches(faces, *, batch_size, seed, size, augmentation=None, teacher=None, sampler=None, first_step=0, last_step):
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

    Returns:
        `tf.data.Dataset` of ((B, height, width, 3) float32 in 0…255, (B,) int32 labels); with a teacher the second is
        `{"label": (B,) int32, "teacher": (B, D) float32}`, as `FaceModel` expects it.

    Raises:
        tf.errors.OpError: while iterating: a photo that is gone, no image, damaged or of another size. TensorFlow's
            decoders don't say which one they stumbled over; `check_files` does.

    Example:
        >>> model.fit(batches(faces, batch_size=64, seed=0, size=(112, 112), last_step=210))
    """
    key = tf.constant(seed, tf.int64)
    rows_at = _bound(sampler or Uniform(), faces.labels, key, batch_size)
    read_batch, read_one = _reading(faces)
    labels = tf.constant(faces.labels)
    targets = None if teacher is None else tf.constant(teacher)

    def located(places):
        rows = rows_at(places)
        return read_batch(rows), rows, places

    def face(content, row, place):
        image = _decoded(read_one(content), size)
        if augmentation is not None:
            image = augmentation(tf.cast(image, tf.float32), seed=tf.stack([key, place]))
        return image, row

    def batch(images, rows):
        label = tf.gather(labels, rows)
        images = tf.cast(images, tf.float32)
        return images, label if targets is None else {"label": label, "teacher": tf.gather(targets, rows)}

    stream = tf.data.Dataset.range(first_step * batch_size, last_step * batch_size)
    stream = stream.batch(batch_size, drop_remainder=True).map(located).prefetch(1).unbatch()
    stream = stream.map(face, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    # Whole bytes until here where nothing was augmented: a quarter of what is copied into the batch.
    return stream.batch(batch_size, drop_remainder=True).map(batch).prefetch(2)


def check_files(faces, *, size):
    """Decodes every photo as `batches` does, to find the one that it stumbled over.

    Args:
        faces: `FaceSource`.
        size: (height, width) in pixels.

    Raises:
        KerasfaceError: the first photo that can't be read or decoded or has another size.
    """
    for photo in faces.photos:
        content = photo.read_bytes()
        try:
            height, width, _ = _pixels(content).shape
            received = f"{height}x{width}"
        except tf.errors.OpError as error:
            # TensorFlow wraps what its decoder says in the names of its own nodes.
            received = re.sub(r"^\{\{.*?\}\} | \[Op:.*", "", error.message.splitlines()[0]).rstrip(".")
        if received != (expected := f"{size[0]}x{size[1]}"):
            raise KerasfaceError(
                f"can't train on {photo}: expected a face aligned to {expected} pixels (height x width), JPEG, PNG or "
                f"BMP. Received: {received}. Align the photos first, or replace the file."
            )


def _bound(sampler, labels, key, batch_size):
    if isinstance(sampler, PeopleByImages):
        return sampler.bind(labels, key, batch_size=batch_size)
    return sampler.bind(labels, key)


def _reading(faces):
    """How photos are read: a function for a batch's rows, and one for what that gave for each photo.

    Files of their own are read by TensorFlow, image by image and without Python. It has no operation that reads a span
    of a file, so those are read by Python, a batch at a time, and the interpreter is held for a few microseconds each.
    """
    if (faces.lengths == WHOLE).all():
        files = tf.constant(faces.files)
        file_of = tf.constant(faces.file_of)
        return lambda rows: tf.gather(files, tf.gather(file_of, rows)), tf.io.read_file

    def read(rows):
        return np.array(faces.read_rows(rows), object)

    def read_batch(rows):
        return tf.ensure_shape(tf.numpy_function(read, [rows], tf.string, stateful=False), rows.shape)

    return read_batch, lambda content: content


def _decoded(content, size):
    image = _pixels(content)
    shape = tf.shape(image)
    expected = tf.reduce_all(shape[:2] == size)
    with tf.control_dependencies([tf.debugging.Assert(expected, ["height, width, channels:", shape])]):
        return tf.ensure_shape(image, (*size, 3))


def _pixels(content):
    return tf.io.decode_image(content, channels=3, expand_animations=False)
