"""Telling of photos that a command passes over."""

from kerasface.cli.console import counted, error_console

__all__ = ["tell_unread"]

_NAMED = 3


def tell_unread(source):
    """Says which photos of a class folder are of kinds that training doesn't read; nothing where there are none."""
    from kerasface.data.folder import photos_unread

    unread = photos_unread(source)
    if unread:
        named = ", ".join(map(str, unread[:_NAMED])) + (", …" if len(unread) > _NAMED else "")
        error_console.print(
            f"left out {counted(len(unread), 'photo')} that {'is' if len(unread) == 1 else 'are'} no JPEG, PNG or BMP: "
            f"{named}",
            soft_wrap=True,
            highlight=False,
            markup=False,
        )
