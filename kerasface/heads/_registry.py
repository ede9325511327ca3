"""The heads' registry, in a file of its own so that heads can import it without a circle."""

from kerasface.registry import Registry

heads = Registry("head")
