"""The losses' registry, in a file of its own so that losses can import it without a circle."""

from kerasface.registry import Registry

losses = Registry("loss")
