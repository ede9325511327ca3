"""Names of people and files that a text file can hold."""

from kerasface.errors import KerasfaceError

__all__ = ["check_text_names"]


def check_text_names(names):
    """Refuses names that are not UTF-8; Python reads their odd bytes as surrogates, which no text file can hold.

    Args:
        names: texts, of people or paths.

    Raises:
        KerasfaceError: the first such name.
    """
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise KerasfaceError(f"expected names in UTF-8. Received: {name!r}. Rename that folder or file.") from error
