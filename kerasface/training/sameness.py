"""Whether a run that is resumed is the one that was begun."""

import hashlib
from pathlib import Path

__all__ = ["changes_between", "fingerprint"]


def fingerprint(faces):
    """Returns a JSON-able dict that differs where other people or images are trained on, wherever they lie."""
    listing = "\n".join("/".join(Path(path).parts[-2:]) for path in faces.paths)
    return {
        "people": len(faces.names),
        "images": len(faces.paths),
        "listing": hashlib.sha256(listing.encode()).hexdigest(),
    }


def changes_between(then, now, field=""):
    """Returns the fields of two JSON trees whose values differ, one line each."""
    if isinstance(then, dict) and isinstance(now, dict):
        keys = sorted({*then, *now})
        below = [changes_between(then.get(key), now.get(key), f"{field}.{key}".lstrip(".")) for key in keys]
        return [line for lines in below for line in lines]
    return [] if then == now else [f"{field}: {then!r} then, {now!r} now"]
