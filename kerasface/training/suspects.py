"""Which photos a loss that is no number came from."""

import json

from kerasface.data import files_of_batch
from kerasface.edge.atomic import write_atomically

__all__ = ["write_suspects"]


def write_suspects(path, recipe, faces, sampler, *, loss, learning_rate, first, last):
    """Writes the names of the files behind a NaN or infinite loss as JSON.

    Args:
        path: of the file.
        recipe: `Recipe` of the run.
        faces: what it trains on.
        sampler: of its stream.
        loss: the number that was none.
        learning_rate: at that step.
        first, last: the steps, from 0, that may have spoilt it.
    """
    report = {
        "loss": str(loss),
        "learning_rate": learning_rate,
        "batches": [
            {
                "step": step + 1,
                "files": files_of_batch(
                    faces, batch_size=recipe.batch_size, seed=recipe.seed, step=step, sampler=sampler
                ),
            }
            for step in range(first, last + 1)
        ],
    }
    write_atomically(path, json.dumps(report, indent=1).encode(), mode=0o644)
