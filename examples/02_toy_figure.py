"""The SphereFace paper's toy figure: digits embedded in two and three dimensions by every head of the papers.

    python examples/02_toy_figure.py [FILE] [mnist.npz]

Without MNIST it takes scikit-learn's digits. Eighteen trainings, a few minutes.
"""

import sys

from kerasface import plot, toy

out = sys.argv[1] if len(sys.argv) > 1 else "toy.png"
mnist = sys.argv[2] if len(sys.argv) > 2 else None

digits = toy.load_digits(mnist)
epochs = 8 if mnist else 25  # about as many steps with either
runs = toy.run_paper(digits, epochs=epochs, progress=lambda done, total: print(f"{done}/{total}"))
for run in runs:
    spread = toy.angular_spread(run.test_features, digits.test_labels)
    print(f"{run.setting.embedding_dim}-D {run.setting.name}: within {spread.within_degrees:.1f}°")
print(plot.save(toy.feature_sheet(runs, digits), out))
