"""What a head refuses, and how it says so."""

import numpy as np
from keras import backend, ops

__all__ = ["check_labels", "check_number", "check_rank"]


def check_number(name, value, *, low, high=float("inf")):
    """Returns `value` when it lies in [low, high), else raises ValueError with its name."""
    if not low <= value < high:
        raise ValueError(f"{name} must lie in [{low}, {high}). Received: {name}={value!r}")
    return value


def check_rank(name, tensor, expected):
    """Raises ValueError unless `tensor` has as many axes as `expected` names, e.g. "(B, D)"."""
    rank = expected.count(",") + (not expected.endswith(",)"))
    if len(tensor.shape) != rank:
        raise ValueError(f"{name} must have the shape {expected}. Received: {name}.shape={tuple(tensor.shape)}")


def check_labels(labels, num_classes):
    """Raises for labels that are not (B,) integers in [0, C), as far as that can be seen.

    Shapes and types are always checked. Values can be checked only where they exist, that is in eager calls; inside a
    compiled graph a label outside [0, C) makes its row's loss NaN instead (see `MarginHead`).
    """
    if len(labels.shape) == 2:
        way_out = "labels[:, 0]" if labels.shape[1] == 1 else "of one-hot rows numpy.argmax(labels, axis=1) makes them"
        raise ValueError(
            f"labels must have the shape (B,), a class number for each face: {way_out}. "
            f"Received: labels.shape={tuple(labels.shape)}"
        )
    check_rank("labels", labels, "(B,)")
    dtype = backend.standardize_dtype(labels.dtype)
    if "int" not in dtype:
        raise TypeError(
            "labels must be integers (a float loses class numbers above 2^24): labels.astype('int32'). "
            f"Received: dtype={dtype}"
        )
    values = _values(labels)
    if values is None or values.size == 0 or (values.min() >= 0 and values.max() < num_classes):
        return
    worst = values.max() if values.max() >= num_classes else values.min()
    rows = np.flatnonzero((values < 0) | (values >= num_classes))
    shown = ", ".join(str(row) for row in rows[:5]) + (", …" if len(rows) > 5 else "")
    raise ValueError(
        f"num_classes is {num_classes} but the batch holds label {worst}: labels must lie in [0, {num_classes}). "
        f"Received: labels.max()={values.max()}, labels.min()={values.min()} (rows {shown}). "
        "Was the class list built from another folder?"
    )


def _values(tensor):
    """The tensor's values, or None inside a graph, where there are none."""
    if backend.is_keras_tensor(tensor):
        return None
    try:
        return ops.convert_to_numpy(tensor)
    except Exception:  # every backend has an error of its own for a traced tensor
        return None
