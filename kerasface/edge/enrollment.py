"""Enrolling from files: which photo shows whom, and which ones can't be used."""

from pathlib import Path

import numpy as np

from kerasface.edge.images import load_image
from kerasface.edge.photo_files import PHOTO_SUFFIXES, UNREAD_SUFFIXES, files_below, photos_in, unread_text
from kerasface.errors import KerasfaceError

__all__ = ["enroll_photos", "photos_by_person", "photos_left_out"]

_WHOSE = "whose photos are these? Give --name, or one folder with a sub-folder a person."


def photos_by_person(photos, name=None):
    """Sorts photo files by person.

    Args:
        photos: with `name`, its photos, or folders of them; without, one folder with a sub-folder a person.
        name: of the one person.

    Returns:
        dict of name to list of paths.

    Raises:
        KerasfaceError: no such path, no photos in it, several people's photos without a name, or a blank name.

    Example:
        >>> photos_by_person(["people"])
        {'Ann': [PosixPath('people/Ann/1.jpg')], 'Bob': [PosixPath('people/Bob/1.jpg')]}
    """
    photos = [Path(path) for path in photos]
    missing = [path for path in photos if not path.exists()]
    if missing:
        raise KerasfaceError(f"no such photo or folder: {missing[0]}")
    if name is not None:
        files = [file for path in photos for file in (photos_in(path) if path.is_dir() else [path])]
        people = {name: files}
    elif len(photos) == 1 and photos[0].is_dir():
        people = {folder.name: files for folder in _folders_in(photos[0]) if (files := photos_in(folder))}
    else:
        raise KerasfaceError(_WHOSE)
    if not people and photos_in(photos[0]):
        raise KerasfaceError(_WHOSE)
    if not any(people.values()):
        files = [file for path in photos if path.is_dir() for file in files_below(path)]
        raise KerasfaceError(
            f"no photos in {', '.join(map(str, photos))}: expected {', '.join(PHOTO_SUFFIXES)} files"
            + (" with --name, or a sub-folder a person with them." if name is None else ".")
            + unread_text(files)
        )
    for person in people:
        if not person.strip():
            raise KerasfaceError(f"whose photos are these? A name can't be blank. Received: {person!r}")
    return people


def photos_left_out(photos, name=None):
    """Lists what `photos_by_person` passes over in folders, so that nobody is missing without a word.

    Args:
        photos, name: as of `photos_by_person`.

    Returns:
        list of `(path, reason)`: photos of kinds that aren't read, photos beside the folders of people, folders
        without photos, and folders in those of people, which aren't looked into.

    Example:
        >>> photos_left_out(["people"])
        [(PosixPath('people/Ann/2.heic'), ".heic files aren't read: save it as JPEG or PNG")]
    """
    folders = [path for path in map(Path, photos) if path.is_dir()]
    if name is not None:
        return [left_out for folder in folders for left_out in _left_out_of(folder)]
    beside = "it lies beside the folders of people: whose is it? Put it into one"
    found = [(path, beside) for root in folders for path in photos_in(root, PHOTO_SUFFIXES + UNREAD_SUFFIXES)]
    return found + [left_out for root in folders for folder in _folders_in(root) for left_out in _left_out_of(folder)]


def enroll_photos(gallery, pipeline, people, *, largest=False, progress=None):
    """Enrolls everybody whose photos can be used.

    Args:
        gallery: `Gallery` of the pipeline's embedder; people are added to it.
        pipeline: `FacePipeline`.
        people: dict of name to photo paths.
        largest: take the largest face where a photo shows several.
        progress: called as `progress(done, total)`, in photos.

    Returns:
        list of `(path, reason)` of the photos left out.

    Raises:
        KerasfaceError: not one photo could be used; the gallery is unchanged then.

    Example:
        >>> enroll_photos(gallery, pipeline, photos_by_person(["people"]))
    """
    total = sum(len(paths) for paths in people.values())
    found, skipped, done = {}, [], 0
    for name, paths in people.items():
        for path in paths:
            try:
                face = pipeline.face(load_image(path), path, largest=largest)
                found.setdefault(name, []).append(face.embedding)
            except KerasfaceError as error:
                skipped.append((path, str(error)))
            done += 1
            if progress:
                progress(done, total)
    if not found:
        path, reason = skipped[0]
        raise KerasfaceError(f"not one photo could be enrolled of {total}. The first, {path}: {reason}")
    for name, embeddings in found.items():
        gallery.enroll(name, np.stack(embeddings), embedder_id=pipeline.embedder.spec.embedder_id)
    return skipped


def _left_out_of(folder):
    """What a person's folder holds besides photos that are read."""
    found = [
        (path, f"{path.suffix} files aren't read: save it as JPEG or PNG")
        for path in photos_in(folder, UNREAD_SUFFIXES)
    ]
    found += [(path, "of a person's folder, sub-folders aren't looked into") for path in _folders_in(folder)]
    return found if found or photos_in(folder) else [(folder, "there are no photos in it")]


def _folders_in(folder):
    return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
