"""Telling of photos that a command passes over."""

from kerasface.cli.console import counted, error_console

__all__ = ["UNREAD", "tell_left_out", "tell_unread"]

UNREAD = "of kinds that aren't read; save them as JPEG or PNG"
_NAMED = 3


def tell_unread(source):
    """Says which photos of a class folder training leaves out, and why; nothing where there are none."""
    from kerasface.data.folder import photos_passed_over

    unread, misplaced = photos_passed_over(source)
    tell_left_out(unread, f"that {'is' if len(unread) == 1 else 'are'} no JPEG, PNG or BMP")
    tell_left_out(misplaced, "beside or below people's folders instead of in them")


def tell_left_out(photos, reason):
    """Says how many photos are left out, why, and names the first; nothing where there are none.

    Args:
        photos: list of their paths.
        reason: what follows "left out 2 photos".
    """
    if photos:
        named = ", ".join(map(str, photos[:_NAMED])) + (", …" if len(photos) > _NAMED else "")
        error_console.print(
            f"left out {counted(len(photos), 'photo')} {reason}: {named}", soft_wrap=True, highlight=False
        )
