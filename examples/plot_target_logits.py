"""Draws the target's logit over its angle, for every head: python examples/plot_target_logits.py [FILE]"""

import sys

from kerasface import plot

print(plot.save(plot.target_logit_figure(), sys.argv[1] if len(sys.argv) > 1 else "target_logits.png"))
