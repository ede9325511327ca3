"""How a run is spread: over one device, a machine's GPUs, or the processes of a cluster."""

import functools
import os

import keras
import tensorflow as tf

from kerasface.distribution import in_several_processes
from kerasface.errors import KerasfaceError

__all__ = ["agreed", "follow_chief", "is_chief", "open_strategy", "share_of_batches"]

_SLURM = "SLURM_STEP_NODELIST"


def open_strategy(name):
    """Opens the strategy of a recipe; "multiworker" before TensorFlow computes anything in this process.

    A process has one of each kind, however often it is asked for: TensorFlow numbers the collective operations of every
    MirroredStrategy alike, and those of two would meet.

    Args:
        name: "none": the one that TensorFlow is in. "mirrored": a replica on each GPU of this machine, or on each
            logical CPU where it has none. "multiworker": the processes that TF_CONFIG names, or those of the Slurm
            step, a replica on each of their GPUs, or one on the CPU where there is none.

    Returns:
        `tf.distribute.Strategy`.

    Raises:
        KerasfaceError: nothing says which processes take part, or it can't be understood; TensorFlow has begun.

    Example:
        >>> with open_strategy("mirrored").scope():
        ...     model = FaceModel(backbone, head)
        ...     model.compile(CoupledSGD(0.1))
    """
    return tf.distribute.get_strategy() if name == "none" else _opened(name)


def is_chief(strategy):
    """True in the process that writes checkpoints, results and progress: worker 0, or the only one."""
    return not in_several_processes(strategy) or strategy.cluster_resolver.task_id == 0


def share_of_batches(strategy, batches, **arguments):
    """A stream of global batches, of which every process reads its part; `fit` must be given `steps_per_epoch`.

    Over several replicas it begins again at its end: TensorFlow counts it in replicas' parts, and a step for which
    nothing is left would still advance what doesn't hang on the data, counts of steps among it.

    Args:
        strategy: of `open_strategy`.
        batches: `kerasface.data.batches`, or a function with its last three arguments.
        **arguments: the others, for the stream that one device would see.

    Returns:
        Dataset for `model.fit`.
    """
    if strategy.num_replicas_in_sync == 1:
        return batches(**arguments)

    def share(context):
        return batches(
            **arguments,
            replicas=context.num_replicas_in_sync,
            worker=context.input_pipeline_id,
            workers=context.num_input_pipelines,
        ).repeat()

    return strategy.distribute_datasets_from_function(share)


def follow_chief(strategy, variables):
    """Gives every process the chief's values; all processes call it.

    Args:
        strategy: of `open_strategy`.
        variables: of Keras or TensorFlow, numbers of any kind, created under the strategy.
    """
    if not in_several_processes(strategy):
        return
    for variable in variables:

        def chiefs(variable=variable):
            value = keras.ops.convert_to_tensor(variable)
            first = tf.distribute.get_replica_context().replica_id_in_sync_group == 0
            return tf.where(first, value, tf.zeros_like(value))

        # Sums with zeros: exact.
        value = _summing(strategy, chiefs)()
        with strategy.scope():
            variable.assign(value)


def agreed(strategy, wish):
    """True in every process when any of them wishes it; all processes call it at the same step."""
    if not in_several_processes(strategy):
        return bool(wish)
    return int(_summing(strategy, tf.identity)(tf.constant(int(bool(wish))))) > 0


@functools.cache
def _opened(name):
    if name == "mirrored":
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    resolver = _resolver()
    try:
        return tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
    except RuntimeError as error:
        raise KerasfaceError(
            f"strategy multiworker must be opened before TensorFlow computes anything in this process: {error}"
        ) from error


@functools.lru_cache(maxsize=1)
def _summing(strategy, function):
    # Kept for the one function that is asked for at every step.
    return tf.function(lambda *values: strategy.reduce("SUM", strategy.run(function, args=values), axis=None))


def _resolver():
    try:
        if os.environ.get("TF_CONFIG"):
            resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
            if set(resolver.cluster_spec().as_dict()) != {"worker"} or resolver.task_type != "worker":
                raise ValueError("expected workers alone, the first of which is the chief")
            return resolver
        if os.environ.get(_SLURM):
            # The resolver would ask nvidia-smi for what it isn't told, and can't deal out fewer GPUs than tasks: where
            # there are none, as many as it wants are dealt out and not used.
            gpus = int(os.environ.get("SLURM_GPUS_ON_NODE") or 0)
            dealt = {"gpus_per_node": gpus} if gpus else {"gpus_per_node": 1 << 20, "gpus_per_task": 1}
            return tf.distribute.cluster_resolver.SlurmClusterResolver(**dealt, auto_set_gpu=gpus > 0)
    except (ValueError, RuntimeError, KeyError, TypeError) as error:
        source = "TF_CONFIG" if os.environ.get("TF_CONFIG") else "the Slurm step"
        received = os.environ.get("TF_CONFIG") or os.environ[_SLURM]
        raise KerasfaceError(f"{source} names no cluster: {error}. Received: {received}") from error
    raise KerasfaceError(
        "strategy multiworker: nothing says which processes take part. Set TF_CONFIG in each, start them as a Slurm "
        "step (srun), or try it out on this machine with: kerasface launch --workers 2 RECIPE --data FOLDER"
    )
