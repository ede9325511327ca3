"""Which operators of a TFLite file XNNPACK, LiteRT's fast CPU path, takes, and in how many pieces."""

import dataclasses
import importlib

from kerasface.edge.runtime import read_model

__all__ = ["Delegation", "delegation"]


@dataclasses.dataclass(frozen=True)
class Delegation:
    """What LiteRT makes of a file on this CPU.

    Args:
        partitions: how many pieces of the graph XNNPACK runs; each border copies tensors.
        nodes: how many of the file's operators it runs.
        outside: names of the operators that stay with the slow reference kernels, in the file's order.
    """

    partitions: int
    nodes: int
    outside: tuple[str, ...]


def delegation(path):
    """Opens a TFLite file in LiteRT and reads how its default delegate, XNNPACK, cut the graph.

    Args:
        path: the file.

    Returns:
        `Delegation`. CAST and L2_NORMALIZATION, an embedder's first and last operator, are always outside (LiteRT 2.3).

    Raises:
        KerasfaceError: no such file.

    Example:
        >>> delegation("mobilefacenet.tflite")
        Delegation(partitions=1, nodes=102, outside=('CAST', 'L2_NORMALIZATION'))
    """
    interpreter = importlib.import_module("ai_edge_litert.interpreter").Interpreter(model_content=read_model(path))
    interpreter.allocate_tensors()
    # There is no public list of what is left; this one has both the file's operators and the delegate's nodes.
    nodes = interpreter._get_ops_details()
    makers = {int(out): node for node in nodes if node["op_name"] != "DELEGATE" for out in node["outputs"]}
    pieces = [node for node in nodes if node["op_name"] == "DELEGATE"]
    taken = set()
    for piece in pieces:
        known = {int(tensor) for tensor in piece["inputs"]}
        wanted = [int(tensor) for tensor in piece["outputs"]]
        while wanted:
            tensor = wanted.pop()
            maker = makers.get(tensor)
            if tensor in known or maker is None:
                continue
            known.add(tensor)
            taken.add(maker["index"])
            wanted.extend(int(tensor) for tensor in maker["inputs"])
    outside = [node["op_name"] for node in nodes if node["index"] not in taken and node["op_name"] != "DELEGATE"]
    return Delegation(partitions=len(pieces), nodes=len(taken), outside=tuple(outside))
