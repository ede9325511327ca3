"""The options that name a gallery's keys. A passphrase itself never stands on a command line, where others read it."""

from pathlib import Path

import typer

from kerasface.errors import KerasfaceError

__all__ = ["KEY_FILE", "PASSPHRASE_FILE", "RENEWAL_KEY", "open_keys", "open_secret"]

PASSPHRASE_FILE = typer.Option(
    None,
    envvar="KERASFACE_PASSPHRASE_FILE",
    help="File of one line: the passphrase that the gallery is encrypted with.",
)
KEY_FILE = typer.Option(
    None,
    envvar="KERASFACE_KEY_FILE",
    help="Key file that the gallery is encrypted with: `kerasface gallery key`.",
)
RENEWAL_KEY = typer.Option(
    None,
    envvar="KERASFACE_RENEWAL_KEY",
    help="Key file that its templates are stored under: `kerasface gallery renew`.",
)


def open_secret(passphrase_file: Path | None, key_file: Path | None):
    """Returns the `Secret` that the two options name, or None.

    Raises:
        KerasfaceError: both are given, or the file can't be read.
    """
    from kerasface.edge import Secret

    if passphrase_file and key_file:
        raise KerasfaceError("a gallery is encrypted with a passphrase or with a key file: give one of the two.")
    if passphrase_file:
        return Secret.passphrase_file(passphrase_file)
    return Secret.key_file(key_file) if key_file else None


def open_keys(passphrase_file: Path | None, key_file: Path | None, renewal_key: Path | None):
    """Returns the keyword arguments `secret` and `renewal` of `Gallery` and `Gallery.load`."""
    from kerasface.edge import RenewalKey

    renewal = RenewalKey.load(renewal_key) if renewal_key else None
    return {"secret": open_secret(passphrase_file, key_file), "renewal": renewal}
