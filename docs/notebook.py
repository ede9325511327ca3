"""Runs examples/the_story_of_the_losses.ipynb and writes it back with its figures: python docs/notebook.py

What only this machine knows (times, versions, warnings, memory addresses) is left out, so that running it again changes
nothing but what changed.
"""

from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "examples" / "the_story_of_the_losses.ipynb"
SECONDS = 900  # a cell


def run(notebook, folder):
    """Executes a notebook in place, in `folder`, and strips what is not its story."""
    NotebookClient(notebook, timeout=SECONDS, resources={"metadata": {"path": str(folder)}}).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        cell.outputs = [output for output in cell.outputs if output.output_type != "stream"]
        for output in cell.outputs:
            output.get("data", {}).pop("text/plain", None)
            output.metadata = {}
    notebook.metadata.language_info = {"name": "python"}
    return notebook


if __name__ == "__main__":
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.write(run(notebook, NOTEBOOK.parent), NOTEBOOK)
    print(NOTEBOOK)
