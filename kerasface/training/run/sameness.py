"""Whether a run that is resumed is the one that was begun."""

__all__ = ["changes_between"]


def changes_between(then, now, field=""):
    """Returns the fields of two JSON trees whose values differ, one line each."""
    if isinstance(then, dict) and isinstance(now, dict):
        keys = sorted({*then, *now})
        below = [changes_between(then.get(key), now.get(key), f"{field}.{key}".lstrip(".")) for key in keys]
        return [line for lines in below for line in lines]
    return [] if then == now else [f"{field}: {then!r} then, {now!r} now"]
