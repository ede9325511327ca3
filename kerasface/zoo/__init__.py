"""Client of the zoo: weights from elsewhere into our models."""

from kerasface.zoo.importer import ImportReport, import_weights

__all__ = ["ImportReport", "import_weights"]
