"""Synthetic identities: faces rendered by formula, seeded, the same on every platform.

SYNTHETIC: nobody shown exists, nothing was measured on anyone, and an accuracy on these pictures says nothing about
real faces. They stand in where a demo, a test or an example needs faces without a download.
"""

from kerasface.data.synthetic.capture import Capture, Expression, Light
from kerasface.data.synthetic.identity import Identity
from kerasface.data.synthetic.render import landmarks, render_face, render_identities, render_identity

__all__ = [
    "Capture",
    "Expression",
    "Identity",
    "Light",
    "landmarks",
    "render_face",
    "render_identities",
    "render_identity",
]
