"""Where a TensorFlow function's time goes: its kernels, by kind, as TensorFlow's own profiler saw them."""

import collections
import tempfile
from pathlib import Path

import tensorflow as tf

__all__ = ["kernel_seconds"]


def kernel_seconds(run, *, rounds=3):
    """Seconds of each kind of kernel in one call of `run`, and their number.

    Kernels run side by side on several threads, so the seconds add up to more than the call takes.

    Args:
        run: a `tf.function` that has been called before.
        rounds: calls to take the mean of.

    Returns:
        dict of kernel name to {"seconds", "count"}.
    """
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        for _ in range(rounds):
            run()
        tf.profiler.experimental.stop()
        (path,) = Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(path.read_bytes())
    seconds, counts = collections.Counter(), collections.Counter()
    for plane in space.planes:
        names = {key: value.name for key, value in plane.event_metadata.items()}
        for event in (event for line in plane.lines for event in line.events):
            # A kernel's event is called "node:Kernel"; the executor's own events have another form.
            node, colon, kernel = names[event.metadata_id].rpartition(":")
            if colon and "/" not in kernel and " " not in kernel and not node.endswith(":"):
                seconds[kernel] += event.duration_ps / 1e12 / rounds
                counts[kernel] += 1
    return {kernel: {"seconds": seconds[kernel], "count": counts[kernel] // rounds} for kernel in seconds}
