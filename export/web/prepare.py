"""Puts the models beside the page, into public/models/, before it is built.

    python export/web/prepare.py [EMBEDDER]

The detector's two come from the user's cache (`kerasface assets get`); EMBEDDER is a file of `kerasface export`, taken
with its sidecar. Without it the page asks for one.
"""

import json
import shutil
import sys
from pathlib import Path

from kerasface.edge import Embedder, assets
from kerasface.edge.metadata import sidecar_path
from kerasface.errors import KerasfaceError

__all__ = ["prepare"]

MODELS = Path(__file__).parent / "public" / "models"


def prepare(embedder=None, folder=MODELS):
    """Fills the folder anew.

    Args:
        embedder: path of an exported file with its sidecar beside it; None leaves the choice to the page.
        folder: where the page looks for models.

    Raises:
        KerasfaceError: the detector's models aren't fetched yet, or the embedder is none or has no sidecar.
    """
    files = [assets.path(name) for name in assets.ASSETS]
    if embedder is not None:
        embedder = Path(embedder)
        Embedder.load(embedder)
        sidecar = sidecar_path(embedder)
        if not sidecar.is_file():
            raise KerasfaceError(f"{sidecar} is not beside {embedder.name}: copy both, or export again.")
        files += [embedder, sidecar]
    contents = {file.name: file.read_bytes() for file in files}  # which may lie in the folder itself
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "NOTICE").write_text(f"{', '.join(asset.file for asset in assets.ASSETS.values())}: {assets.LICENCE}\n")
    (folder / "index.json").write_text(json.dumps({"embedder": embedder and embedder.name}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        raise SystemExit(__doc__)
    try:
        prepare(*sys.argv[1:])
    except KerasfaceError as error:
        raise SystemExit(f"error: {error}") from None
