"""kerasface enroll and kerasface identify."""

import json
from pathlib import Path
from typing import Literal

import typer
from rich.table import Column, Table

from kerasface.cli.console import console, counted, error_console, people_text
from kerasface.cli.faces import LARGEST, MIN_SCORE, MODEL, NO_ALIGN, THRESHOLD, cosine_text, open_gallery, open_pipeline
from kerasface.cli.keys import KEY_FILE, PASSPHRASE_FILE, RENEWAL_KEY, open_keys
from kerasface.cli.reports import check_writable, write_report
from kerasface.edge.photo_files import PHOTO_SUFFIXES, UNREAD_SUFFIXES, files_below, photos_in
from kerasface.errors import KerasfaceError
from kerasface.progress import progress_bar

__all__ = ["add_to"]


def add_to(app):
    """Adds the commands."""
    app.command(name="enroll")(enroll)
    app.command(name="identify")(identify)


def enroll(
    model: Path = MODEL,
    photos: list[Path] = typer.Argument(
        help="One person's photos, with --name; or one folder with a sub-folder a person."
    ),
    gallery: Path = typer.Option(help="Gallery file, made when it doesn't exist."),
    name: str = typer.Option(None, help="The person on the photos."),
    policy: Literal["mean", "max"] = typer.Option(
        None,
        help="Of a new gallery: a person's templates count as their mean (default), or max, the best of them.",
    ),
    no_align: bool = NO_ALIGN,
    largest: bool = LARGEST,
    min_score: float = MIN_SCORE,
    passphrase_file: Path = PASSPHRASE_FILE,
    key_file: Path = KEY_FILE,
    renewal_key: Path = RENEWAL_KEY,
):
    """Add people to a gallery. Ask them first: the file holds their biometric data.

    Example: kerasface enroll mobilefacenet.tflite people/ --gallery team.kfg --key-file /media/stick/team.key
    """
    from kerasface.edge import Gallery, changing, enroll_photos, photos_by_person, photos_left_out

    people, left_out = photos_by_person(photos, name), photos_left_out(photos, name)
    keys = open_keys(passphrase_file, key_file, renewal_key)
    pipeline = open_pipeline(model, no_align, min_score)
    spec = pipeline.embedder.spec
    with changing(gallery, spec, **keys, new=Gallery(spec, policy=policy or "mean", **keys)) as known:
        if policy not in (None, known.policy):
            raise KerasfaceError(f"{gallery} was made with --policy {known.policy}. Received: --policy {policy}")
        before = {person: known.count(person) for person in known.names}
        with progress_bar(error_console, "enrolling") as update:
            left_out += enroll_photos(known, pipeline, people, largest=largest, progress=update)
    for path, reason in left_out:
        error_console.print(f"left out {path}: {reason}", soft_wrap=True, highlight=False)
    console.print(
        f"{gallery} holds {people_text(len(known))}; {_left_out_text([path for path, _ in left_out])}", soft_wrap=True
    )
    again = sum(known.count(person) > count for person, count in before.items())
    if again:
        console.print(
            f"{people_text(again)} had photos in it already; these were added, and a photo given twice counts twice",
            soft_wrap=True,
        )


def _left_out_text(paths):
    folders = sum(path.is_dir() for path in paths)
    photos = counted(len(paths) - folders, "photo")
    return f"{photos} and {counted(folders, 'folder')} left out" if folders else f"{photos} left out"


def identify(
    model: Path = MODEL,
    photos: list[Path] = typer.Argument(
        help="Photos, or folders of them; every face on them is looked up, the largest first (--json: where it is)."
    ),
    gallery: Path = typer.Option(help="Gallery file that `kerasface enroll` wrote."),
    threshold: float = THRESHOLD,
    ranks: int = typer.Option(1, min=1, metavar="N", help="List that many of the nearest people."),
    json_path: Path = typer.Option(None, "--json", help="Write the answers, readable by you alone: they name people."),
    no_align: bool = NO_ALIGN,
    min_score: float = MIN_SCORE,
    passphrase_file: Path = PASSPHRASE_FILE,
    key_file: Path = KEY_FILE,
    renewal_key: Path = RENEWAL_KEY,
):
    """Who is on the photos? "unknown" is an answer.

    Example: kerasface identify mobilefacenet.tflite party.jpg --gallery team.kfg
    """
    from kerasface.edge import load_image

    photos = _files_of(photos)
    check_writable(json_path)
    keys = open_keys(passphrase_file, key_file, renewal_key)
    pipeline = open_pipeline(model, no_align, min_score)
    known = open_gallery(gallery, pipeline, keys)
    # A path that is cut short names no photo: it is folded instead.
    table = Table(Column("photo", overflow="fold"), "face", "who", "cosine", "threshold")
    if ranks > 1:
        table.add_column("nearest", overflow="fold")
    answers: list[dict] = []
    with progress_bar(error_console, "identifying") as update:
        for done, path in enumerate(photos):
            update(done, len(photos))
            try:
                faces = pipeline.faces(load_image(path))
            except KerasfaceError as error:
                table.add_row(str(path), "–", str(error))
                answers.append({"photo": str(path), "problem": str(error)})
                continue
            if not faces:
                table.add_row(str(path), "–", "no face found")
            answers.append({"photo": str(path), "faces": []})
            for number, face in enumerate(faces, start=1):
                match = known.identify(face.embedding, threshold, ranks=ranks, embedder_id=face.embedder_id)
                row = [str(path), str(number), match.name or "unknown", cosine_text(match), f"{match.threshold:.4f}"]
                if ranks > 1:
                    row.append(", ".join(f"{name} {cosine:.4f}" for name, cosine in match.ranking))
                table.add_row(*row)
                answers[-1]["faces"].append(_answer(face, match))
    console.print(table)
    write_report(json_path, lambda: json.dumps(answers, indent=1, ensure_ascii=False) + "\n", private=True)
    unread = sum("problem" in answer for answer in answers)
    if unread:
        raise KerasfaceError(f"{unread} of {len(photos)} photos could not be looked at.")


def _files_of(photos):
    """The photos, and those in the folders among them; with kinds that aren't read, which are told then."""
    files = []
    for path in photos:
        found = photos_in(path, PHOTO_SUFFIXES + UNREAD_SUFFIXES) if path.is_dir() else [path]
        if not found and any(file.suffix.lower() in PHOTO_SUFFIXES for file in files_below(path)):
            raise KerasfaceError(f"no photos in {path} itself, and its sub-folders aren't looked into: name those.")
        if not found:
            raise KerasfaceError(f"no photos in {path}: expected {', '.join(PHOTO_SUFFIXES)} files.")
        files += found
    return files


def _answer(face, match):
    return {
        "name": match.name,
        "cosine": match.score if match.nearest else None,
        "threshold": match.threshold,
        "nearest": [{"name": name, "cosine": cosine} for name, cosine in match.ranking],
        "box": face.face.box.tolist(),
    }
