"""Draws where two classes part, for five heads: python examples/plot_boundaries.py [FILE]"""

import sys

from kerasface import plot

print(plot.save(plot.decision_boundary_figure(), sys.argv[1] if len(sys.argv) > 1 else "boundaries.png"))
