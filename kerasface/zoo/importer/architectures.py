"""Builds the network that a source's weights go into, sized by the source."""

from kerasface import backbones
from kerasface.errors import KerasfaceError
from kerasface.zoo.importer.nodes import topological

__all__ = ["ARCHITECTURES", "build", "build_like"]

# Those that published weights exist for, and that consist of what `keras_graph` reads.
_IRESNETS = tuple(f"iresnet{depth}" for depth in (18, 34, 50, 100, 200))
ARCHITECTURES = (*_IRESNETS, "mbf", "mobilefacenet")
_MOBILEFACENET_STEM = 64


def build(arch, **arguments):
    """Builds an architecture in float32.

    Args:
        arch: one of `ARCHITECTURES`.
        **arguments: of the backbone.

    Raises:
        KerasfaceError: an unknown architecture, or arguments that it doesn't take.
    """
    if arch not in ARCHITECTURES:
        raise KerasfaceError(f"unknown --arch; expected one of {', '.join(ARCHITECTURES)}. Received: {arch}")
    try:
        return backbones.get(arch, **arguments, dtype="float32")
    except ValueError as error:
        raise KerasfaceError(f"the source's size doesn't fit {arch}: {error}") from error


def build_like(arch, graph):
    """Builds an architecture with the input, the embedding, the width and the padding of a source.

    Args:
        arch: one of `ARCHITECTURES`.
        graph: the source's last `Node`.

    Returns:
        `keras.Model`, not loaded yet.

    Raises:
        KerasfaceError: an unknown architecture, or a source that is no network of convolutions.
    """
    steps = topological(graph)
    convolutions = [step for step in steps if step.kind == "convolution"]
    if not convolutions:
        raise KerasfaceError(f"the source has no convolution: it is no {arch}. Received: {len(steps)} operators")
    arguments = {"input_shape": steps[0].shape, "embedding_dim": graph.shape[-1]}
    if arch == "mobilefacenet":
        arguments["width"] = convolutions[0].shape[-1] / _MOBILEFACENET_STEM
        if any(step.padding[1] > step.padding[0] for step in convolutions):
            arguments["padding"] = "same"
    return build(arch, **arguments)
