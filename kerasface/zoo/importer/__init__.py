"""Brings weights that exist elsewhere into our architectures, with a numeric proof."""

from kerasface.zoo.importer.architectures import ARCHITECTURES
from kerasface.zoo.importer.proof import Proof
from kerasface.zoo.importer.run import ImportReport, import_weights

__all__ = ["ARCHITECTURES", "ImportReport", "Proof", "import_weights"]
