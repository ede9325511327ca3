"""Writes docs/heads-compared.md from docs/results/heads_celeba, which has the measures of every finished run.

python docs/heads_compared.py keep OUT    # copies what `kerasface compare … --out OUT` has measured so far, and renders
python docs/heads_compared.py render
"""

import shutil
import sys
from pathlib import Path

from heads_conclusions import conclusions

import kerasface
from kerasface.training.comparison import Comparison, ComparisonResult, RunMeasures, write_page

HERE = Path(__file__).parent
RECIPE = "zoo/recipes/compare_heads_celeba.yaml"
RESULTS = HERE / "results" / "heads_celeba"
PAGE = HERE / "heads-compared.md"
HEAD = f"""# Heads side by side

Written by `python docs/heads_compared.py render` from `docs/results/heads_celeba`; nothing here is typed by hand. The
papers' experiment on a set that fits a laptop: one small backbone, one budget, the same people, order and first
weights, and every head in turn. The best epoch of these runs is the one with the highest accuracy on people held out;
`kerasface train` goes by the AUC now, because of what depth shows below.

```sh
kerasface compare {RECIPE} --data data/celeba/aligned_112 --lfw data/lfw --out runs/heads
```

A copy of `docs/results/heads_celeba` as `--out` begins with the runs below, and does those that are missing."""


def measured():
    """The runs of the comparison whose measures are here, in its order."""
    plan = Comparison.read(HERE.parent / RECIPE).runs()
    paths = [RESULTS / planned.place / "measures.json" for planned in plan]
    runs = [RunMeasures.from_json(path.read_text(encoding="utf-8")) for path in paths if path.is_file()]
    return ComparisonResult("heads_celeba", len(plan), tuple(runs), (), kerasface.__version__)


def keep(out):
    """Copies the measures of a comparison's finished runs."""
    for path in out.glob("*/seed_*/measures.json"):
        target = RESULTS / path.relative_to(out)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def render(path=PAGE):
    """Writes the page, and its figures beside it."""
    result = measured()
    return write_page(result, path, head=f"{HEAD}\n\n{conclusions(result.runs)}")


if __name__ == "__main__":
    if sys.argv[1] == "keep":
        keep(Path(sys.argv[2]))
    render()
