"""kerasface gallery: what is in a gallery's file, and who may read it."""

from pathlib import Path

import typer
from rich.table import Column, Table

from kerasface.cli.console import console, people_text
from kerasface.cli.keys import KEY_FILE, PASSPHRASE_FILE, RENEWAL_KEY, open_keys, open_secret
from kerasface.errors import KerasfaceError

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    help="Look into galleries, change them, encrypt and renew them. A gallery is biometric data of the people in it.",
)
GALLERY = typer.Argument(help="Gallery file that `kerasface enroll` wrote.")


@app.command(name="ls")
def list_people(
    gallery: Path = GALLERY,
    passphrase_file: Path = PASSPHRASE_FILE,
    key_file: Path = KEY_FILE,
    renewal_key: Path = RENEWAL_KEY,
):
    """Who is in a gallery, and what it is.

    Example: kerasface gallery ls team.kfg --key-file /media/stick/team.key
    """
    from kerasface.edge import Gallery

    known = Gallery.load(gallery, **open_keys(passphrase_file, key_file, renewal_key))
    table = Table(Column("name", overflow="fold"), Column("photos", justify="right"))
    for name in known.names:
        table.add_row(name, str(known.count(name)))
    console.print(table)
    encrypted = f"encrypted with a {known.secret.kind}" if known.secret else "not encrypted"
    renewable = f"renewable under key {known.renewal.id}" if known.renewal else "not renewable"
    spec = known.spec
    console.print(f"{people_text(len(known))}; policy {known.policy}; {encrypted}; {renewable}", soft_wrap=True)
    console.print(f"embedder {spec.name} ({spec.embedder_id})", soft_wrap=True)


@app.command(name="rm")
def remove(
    gallery: Path = GALLERY,
    names: list[str] = typer.Argument(help="People to forget."),
    passphrase_file: Path = PASSPHRASE_FILE,
    key_file: Path = KEY_FILE,
    renewal_key: Path = RENEWAL_KEY,
):
    """Forget people. Copies and backups of the file still know them.

    Example: kerasface gallery rm team.kfg "Grace Hopper"
    """
    from kerasface.edge import changing

    with changing(gallery, **open_keys(passphrase_file, key_file, renewal_key)) as known:
        for name in names:
            known.remove(name)
    console.print(f"{gallery} holds {people_text(len(known))}", soft_wrap=True)


@app.command(name="export")
def export_json(
    gallery: Path = GALLERY,
    out: Path = typer.Option(help="JSON file to write."),
    passphrase_file: Path = PASSPHRASE_FILE,
    key_file: Path = KEY_FILE,
    renewal_key: Path = RENEWAL_KEY,
):
    """Write names and templates as JSON, in clear: biometric data, neither encrypted nor under a renewal key.

    Example: kerasface gallery export team.kfg --out team.json
    """
    from kerasface.edge import Gallery

    known = Gallery.load(gallery, **open_keys(passphrase_file, key_file, renewal_key))
    known.export_json(out)
    console.print(f"{out} holds the biometric data of {people_text(len(known))} in clear", soft_wrap=True)


@app.command(name="import")
def import_json(
    document: Path = typer.Argument(help="JSON file that `kerasface gallery export` wrote."),
    gallery: Path = typer.Option(help="Gallery file to add the people to, made when it doesn't exist."),
    passphrase_file: Path = PASSPHRASE_FILE,
    key_file: Path = KEY_FILE,
    renewal_key: Path = RENEWAL_KEY,
):
    """Add the people of a JSON file to a gallery; the keys are the gallery's. Both files are biometric data.

    Example: kerasface gallery import team.json --gallery all.kfg
    """
    from kerasface.edge import Gallery, changing

    keys = open_keys(passphrase_file, key_file, renewal_key)
    imported = Gallery.import_json(document)
    new = Gallery(imported.spec, policy=imported.policy, **keys)
    with changing(gallery, **keys, new=new) as known:
        known.merge(imported)
    console.print(f"{gallery} holds {people_text(len(known))}", soft_wrap=True)


@app.command()
def key(path: Path = typer.Argument(help="File to write; one that is there is never overwritten.")):
    """Write a new key file: 32 random bytes, for encryption or renewal. Keep it apart from the gallery, and a copy.

    Example: kerasface gallery key /media/stick/team.key
    """
    from kerasface.edge import new_key_file

    new_key_file(path)
    console.print(f"{path} is new. Without it nobody can open what it will protect: keep a copy.", soft_wrap=True)


@app.command()
def encrypt(
    gallery: Path = GALLERY,
    new_passphrase_file: Path = typer.Option(None, help="File of one line: the passphrase from now on."),
    new_key_file: Path = typer.Option(None, help="The key file from now on."),
    passphrase_file: Path = PASSPHRASE_FILE,
    key_file: Path = KEY_FILE,
    renewal_key: Path = RENEWAL_KEY,
):
    """Encrypt a gallery, or encrypt it with another passphrase or key. Copies and backups stay as they are.

    Example: kerasface gallery encrypt team.kfg --new-key-file /media/stick/team.key
    """
    from kerasface.edge import changing

    secret = open_secret(new_passphrase_file, new_key_file)
    if secret is None:
        raise KerasfaceError("with what? Give --new-passphrase-file or --new-key-file.")
    with changing(gallery, **open_keys(passphrase_file, key_file, renewal_key)) as known:
        known.secret = secret
    console.print(f"{gallery} is encrypted with a {secret.kind}", soft_wrap=True)


@app.command()
def renew(
    gallery: Path = GALLERY,
    new_renewal_key: Path = typer.Option(help="The renewal key file from now on, see `kerasface gallery key`."),
    passphrase_file: Path = PASSPHRASE_FILE,
    key_file: Path = KEY_FILE,
    renewal_key: Path = RENEWAL_KEY,
):
    """Store a gallery's templates under a new key, so that what was stored under the old one is revoked.

    Then destroy the old key. What the transform doesn't protect against: docs/galleries.md.

    Example: kerasface gallery renew team.kfg --renewal-key old.key --new-renewal-key new.key
    """
    from kerasface.edge import RenewalKey, changing

    renewal = RenewalKey.load(new_renewal_key)
    with changing(gallery, **open_keys(passphrase_file, key_file, renewal_key)) as known:
        known.renew(renewal)
    console.print(f"{gallery} is stored under renewal key {renewal.id}", soft_wrap=True)
