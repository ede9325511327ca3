"""The one description of a network that every source is read into and that our own models are compared with."""

import dataclasses

import numpy as np

__all__ = ["Node", "topological"]


@dataclasses.dataclass(eq=False)
class Node:
    """One step of a network, in the terms of Keras: channels last, kernels (height, width, in, out).

    | kind | values |
    |---|---|
    | input | |
    | convolution | kernel, bias or None, strides, padding (top, bottom, left, right), groups |
    | dense | kernel (in, out), bias or None |
    | normalization | gamma, beta, mean, variance, epsilon: `gamma · (x − mean) / √(variance + epsilon) + beta` |
    | prelu | slope |
    | add, flatten, pad, reverse_channels, unit_length | pad: padding |
    | elementwise | operator, operands (indices into `inputs`, or constants), what is left of the source's arithmetic |
    | other | operator: the source's own name for what has no counterpart here |

    Args:
        kind: see above.
        inputs: the `Node`s that it reads.
        name: what a user can find in the source: of the weight, else of the operator.
        shape: (height, width, channels) or (features,); without the batch.
        values: see above.
        layer: the Keras layer that it stands for, in our own models.
        channels_first: whether the source keeps this tensor as (N, C, H, W).
    """

    kind: str
    inputs: tuple["Node", ...]
    name: str
    shape: tuple[int, ...]
    values: dict = dataclasses.field(default_factory=dict)
    layer: object = None
    channels_first: bool = False

    def __getattr__(self, field):
        try:
            return self.__dict__["values"][field]
        except KeyError:
            raise AttributeError(field) from None

    def replace(self, **changes):
        """Returns a copy with some values changed."""
        return dataclasses.replace(self, values={**self.values, **changes})

    @property
    def source(self):
        """The first input, of steps that have one."""
        return self.inputs[0]

    def __str__(self):
        kernel = self.values.get("kernel")
        size = f" {'×'.join(map(str, np.shape(kernel)))}" if kernel is not None else ""
        kind = self.values["operator"] if self.kind in ("elementwise", "other") else self.kind
        return f"{kind}{size} {self.name!r}"


def topological(output):
    """Lists the nodes that an output needs, every node after those it reads.

    Args:
        output: `Node`.

    Returns:
        list of `Node`.
    """
    order, seen, stack = [], set(), [(output, False)]
    # Not recursive: IResNet-200 is deeper than Python's stack.
    while stack:
        node, is_done = stack.pop()
        if is_done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((part, False) for part in reversed(node.inputs))
    return order
