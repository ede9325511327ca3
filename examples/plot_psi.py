"""Draws ψ(θ) for m = 1…4 and the annealed blend: python examples/plot_psi.py [FILE]"""

import sys

from kerasface import plot

print(plot.save(plot.psi_figure(), sys.argv[1] if len(sys.argv) > 1 else "psi.png"))
