"""The backbones' registry, in a file of its own so that architectures can import it without a circle."""

from kerasface.registry import Registry

backbones = Registry("backbone")
