"""Finds, step by step from the embedding back to the picture, which weight of a source belongs to which layer."""

import numpy as np

from kerasface.errors import KerasfaceError
from kerasface.zoo.importer.folding import (
    LINEAR,
    fold_normalization,
    is_pointwise,
    join_normalizations,
    join_pointwise,
    without_bias,
)
from kerasface.zoo.importer.nodes import Node, topological

__all__ = ["match"]


def match(ours, theirs, arch):
    """Walks our network and a source side by side and pairs layers with the source's steps.

    The source need not be cut as ours is: a batch norm that it has folded away, one that ours has no layer for, and a
    linear 1×1 convolution right before another one are the same function in another form.

    Args:
        ours: output `Node` of our network, from `read_keras`.
        theirs: output `Node` of the source, from `lift`.
        arch: our architecture's name, for messages.

    Returns:
        pairs (Keras layer, `Node` whose values it takes), and the source's `Node` that our network gets as its input.

    Raises:
        KerasfaceError: the source is another network; with the first tensor, from the embedding on, that doesn't fit.
    """
    return _Matching(arch).walk(ours, theirs)


class _Matching:
    def __init__(self, arch):
        self.arch = arch
        self.depths = {}
        self.partners = {}
        self.found = []
        self.left = []
        self.first = None

    def walk(self, ours, theirs):
        self.depths = {**_depths(ours), **_depths(theirs)}
        self.left.append((ours, theirs))
        while self.left:
            our, their = (_without_trivial_flatten(node) for node in self.left.pop())
            if id(our) not in self.partners:
                self.partners[id(our)] = their
                getattr(self, f"_{our.kind}")(our, their)
            elif self.partners[id(our)] is not their:
                self._refuse(our, their, f"to stand for {self.partners[id(our)]} in both places")
        return self.found, self.first

    def _input(self, our, their):
        self.first = their

    def _normalization(self, our, their):
        linear = our.source if our.source.kind in LINEAR and our.source.bias is None else None
        if linear is not None and their.kind in LINEAR:
            source, values = without_bias(_joined(linear, their))
            their = Node("normalization", (source,), their.name, their.shape, values)
        self._expect(our, their, their.kind == "normalization" and their.shape[-1] == our.shape[-1])
        their = join_normalizations(their)
        source = their.source
        if linear is not None and source.kind in LINEAR:
            source, shift = without_bias(_joined(linear, source))
            their = their.replace(mean=np.asarray(their.mean, np.float64) - shift["beta"])
        self.found.append((our.layer, their))
        self.left.append((our.source, source))

    def _convolution(self, our, their):
        if their.kind == "normalization":
            their = join_normalizations(their)
            self._expect(our, their, their.source.kind in LINEAR)
            their = fold_normalization(their)
        their = _joined(our, their)
        self._expect(our, their, our.kind == their.kind and our.kernel.shape == their.kernel.shape)
        for field in ("groups", "strides", "padding") if our.kind == "convolution" else ():
            detail = f"with {field} {our.values[field]}, but that of the source is {their.values[field]}"
            self._expect(our, their, our.values[field] == their.values[field], detail)
        self._expect(our, their, our.bias is not None or their.bias is None, "without a bias")
        self.found.append((our.layer, _in_our_order(their)))
        self.left.append((our.source, their.source))

    _dense = _convolution

    def _prelu(self, our, their):
        self._expect(our, their, their.kind == "prelu" and their.shape[-1] == our.shape[-1])
        self.found.append((our.layer, their))
        self.left.append((our.source, their.source))

    def _flatten(self, our, their):
        same = their.kind == "flatten" and our.source.shape == their.source.shape
        self._expect(our, their, same, f"of {our.source.shape}")
        self.left.append((our.source, their.source))

    def _add(self, our, their):
        self._expect(our, their, their.kind == "add")
        # A sum has no order: a shortcut has passed fewer activations than the branch beside it.
        ours, theirs = (sorted(node.inputs, key=lambda part: self.depths[id(part)]) for node in (our, their))
        self.left.extend(zip(ours, theirs, strict=True))

    def _expect(self, our, their, condition, detail=""):
        if not condition:
            self._refuse(our, their, detail)

    def _refuse(self, our, their, detail):
        raise KerasfaceError(
            f"the source is no {self.arch}: expected our {our}{' ' if detail else ''}{detail}. Received: {their} of "
            f"output {their.shape}. Compared from the embedding back to the picture, all after these two fits. Is it "
            "another architecture?"
        )


def _without_trivial_flatten(node):
    """A single pixel is flat already."""
    while node.kind == "flatten" and node.source.shape[:-1] in ((), (1, 1)):
        node = node.source
    return node


def _joined(our, their):
    """Their linear step, with the pointwise ones before it that ours doesn't have."""
    before = _without_trivial_flatten(our.source)
    before = _without_trivial_flatten(before.source) if before.kind == "normalization" else before
    while is_pointwise(our) and not is_pointwise(before) and is_pointwise(their) and is_pointwise(their.source):
        their = join_pointwise(their)
    return their


def _depths(output):
    """How many activations lie between the picture and each step, at most."""
    depths = {}
    for node in topological(output):
        depths[id(node)] = max((depths[id(part)] for part in node.inputs), default=0) + (node.kind == "prelu")
    return depths


def _in_our_order(node):
    """The weights of a dense layer that reads (C, H, W) flattened, for one that reads (H, W, C)."""
    if node.kind != "dense" or node.source.kind != "flatten" or not node.source.source.channels_first:
        return node
    height, width, channels = node.source.source.shape
    kernel = np.reshape(node.kernel, (channels, height, width, -1)).transpose(1, 2, 0, 3)
    return node.replace(kernel=kernel.reshape(node.kernel.shape))
