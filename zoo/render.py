"""Writes zoo/README.md and all cards anew, from the package's manifest, the recipes and the records in zoo/cards.

    python zoo/render.py

`kerasface zoo build --ship .` does so for the model that it builds.
"""

from pathlib import Path

from kerasface.edge.atomic import write_atomically
from kerasface.zoo.workshop import BuildRecord, card, write_page

CHECKOUT = Path(__file__).resolve().parents[1]


def main():
    """Renders what there is."""
    for path in sorted((CHECKOUT / "zoo" / "cards").glob("*.json")):
        record = BuildRecord.from_json(path.read_text(encoding="utf-8"), path)
        text = card(record).encode()
        shipped = CHECKOUT / "kerasface" / "zoo" / "shipped" / record.model.card
        for target in (path.with_suffix(".md"), shipped):
            write_atomically(target, text, mode=0o644)
    write_page(CHECKOUT)


if __name__ == "__main__":
    main()
