"""Batches for training: an endless shuffled stream in which every position is decided by the seed alone."""

import re

import tensorflow as tf

from kerasface.errors import KerasfaceError

__all__ = ["batches", "check_files", "files_of_batch"]


def batches(
    faces, *, batch_size, seed, size, augmentation=None, teacher=None, first_step=0, last_step,
    replicas=1, worker=0, workers=1,
):  # fmt: skip
    """A tf.data stream of shuffled, decoded, augmented faces that can start anywhere.

    Image number p of the stream is number π_e(p mod N) of the folder, with e = p ÷ N and π_e a permutation drawn from
    the seed and e; its augmentation is drawn from the seed and p. Nothing is stored between steps, so a run that
    resumes at step k sees exactly what it would have seen.

    Args:
        faces: `ClassFolder`.
        batch_size: B.
        seed: int.
        size: (height, width) in pixels; files of another size are refused.
        augmentation: `Augmentation` or None.
        teacher: (N, D) float32, a teacher's embedding of each photo, or None.
        first_step: first batch of the stream to give.
        last_step: the batch to stop before.
        replicas: R, over which a batch is spread. Each element of the stream is one replica's part, B ÷ R faces.
        worker, workers: which part of every batch this process reads, of how many. Together they read the batches that
            one would.

    Returns:
        `tf.data.Dataset` of ((B, height, width, 3) float32 in 0…255, (B,) int32 labels); with a teacher the second is
        `{"label": (B,) int32, "teacher": (B, D) float32}`, as `FaceModel` expects it.

    Raises:
        tf.errors.OpError: while iterating: a file that is gone, no image, damaged or of another size. TensorFlow's
            decoders don't say which file they stumbled over; `check_files` does.

    Example:
        >>> model.fit(batches(faces, batch_size=64, seed=0, size=(112, 112), last_step=210))
    """
    count = len(faces.paths)
    paths = tf.constant(faces.paths)
    labels = tf.constant(faces.labels)
    targets = None if teacher is None else tf.constant(teacher)
    key = tf.constant(seed, tf.int64)

    def face(position):
        row = _row(position, key, count)
        image = tf.cast(_decoded(paths[row], size), tf.float32)
        if augmentation is not None:
            image = augmentation(image, seed=tf.stack([key, position]))
        return image, labels[row] if targets is None else {"label": labels[row], "teacher": targets[row]}

    part = batch_size // workers

    def own(place):
        return place // part * batch_size + worker * part + place % part

    stream = tf.data.Dataset.range(first_step * part, last_step * part).map(own)
    stream = stream.map(face, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return stream.batch(batch_size // replicas, drop_remainder=True).prefetch(2)


def files_of_batch(faces, *, batch_size, seed, step):
    """Names the files of one batch of `batches`.

    Args:
        faces: `ClassFolder`.
        batch_size: B.
        seed: of the stream.
        step: number of the batch, from 0.

    Returns:
        B paths, in the batch's order.

    Example:
        >>> files_of_batch(faces, batch_size=64, seed=0, step=4711)[0]
        'faces/person_0001/00003.png'
    """
    key, count = tf.constant(seed, tf.int64), len(faces.paths)
    positions = tf.range(step * batch_size, (step + 1) * batch_size, dtype=tf.int64)
    return [str(faces.paths[int(_row(position, key, count))]) for position in positions]


def check_files(faces, *, size):
    """Decodes every file as `batches` does, to find the one that it stumbled over.

    Args:
        faces: `ClassFolder`.
        size: (height, width) in pixels.

    Raises:
        KerasfaceError: the first file that can't be decoded or has another size.
    """
    for path in faces.paths:
        try:
            height, width, _ = _pixels(path).shape
            received = f"{height}x{width}"
        except tf.errors.OpError as error:
            # TensorFlow wraps what its decoder says in the names of its own nodes.
            received = re.sub(r"^\{\{.*?\}\} | \[Op:.*", "", error.message.splitlines()[0]).rstrip(".")
        if received != (expected := f"{size[0]}x{size[1]}"):
            raise KerasfaceError(
                f"can't train on {path}: expected a face aligned to {expected} pixels (height x width), JPEG, PNG or "
                f"BMP. Received: {received}. Align the photos first, or replace the file."
            )


def _row(position, key, count):
    epoch, place = position // count, position % count
    return tf.random.experimental.index_shuffle(place, tf.stack([key, epoch]), tf.constant(count - 1, tf.int64))


def _decoded(path, size):
    image = _pixels(path)
    shape = tf.shape(image)
    received = tf.strings.as_string(shape)
    message = tf.strings.join([path, ": ", received[0], "x", received[1], f" pixels, expected {size[0]}x{size[1]}"])
    with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(shape[:2] == size), [message])]):
        return tf.ensure_shape(image, (*size, 3))


def _pixels(path):
    return tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
