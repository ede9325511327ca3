"""The zoo as its users see it: names, files, Keras models."""

import fnmatch
import json

from kerasface.edge.atomic import write_atomically
from kerasface.errors import KerasfaceError
from kerasface.zoo.bases import bases
from kerasface.zoo.download import fetch_file

__all__ = ["find", "get", "list_models", "load"]


def list_models(pattern="*", *, local=False):
    """Lists the embedders there are.

    Args:
        pattern: of their names, with * and ?.
        local: only those that the user has imported.

    Returns:
        dict of name to `ZooModel`, sorted by name.

    Raises:
        KerasfaceError: a manifest that can't be read.

    Example:
        >>> list(list_models("*.sface*"))
        ['mobilefacenet.sface_photos', 'mobilefacenet.sface_photos_full']
    """
    found = {}
    for base in bases()[-1:] if local else bases():
        for name, model in base.manifest().models.items():
            if fnmatch.fnmatchcase(name, pattern):
                found.setdefault(name, model)
    return dict(sorted(found.items()))


def find(name):
    """Finds an embedder.

    Args:
        name: of it.

    Returns:
        `(Base, ZooModel)`: where it is and what is known of it.

    Raises:
        KerasfaceError: nobody has it; the message names those there are.

    Example:
        >>> base, model = find("mobilefacenet.sface_photos_full")
        >>> model.licence_weights
    """
    for base in bases():
        models = base.manifest().models
        if name in models:
            return base, models[name]
    there = (
        ", ".join(list_models()) or "none yet: `kerasface zoo import` makes one of a file, `kerasface train` another"
    )
    raise KerasfaceError(f"no embedder {name!r} in the zoo. There is: {there}")


def get(name, format="tflite-fp16", *, progress=None):
    """Brings a file of an embedder into the cache, verified, with its sidecar beside it.

    Args:
        name: of the embedder.
        format: of the file: "keras", "tflite-fp16", "tflite-int8", … as `kerasface zoo show` lists them.
        progress: called as `progress(done, total)`, in bytes.

    Returns:
        Path of the file.

    Raises:
        KerasfaceError: no such embedder or format, or see `download.fetch_file`.

    Example:
        >>> Embedder.load(get("mobilefacenet.sface_photos_full"))
    """
    base, model = find(name)
    if format not in model.files:
        raise KerasfaceError(
            f"{name} is there as {', '.join(sorted(model.files))}. Received: format={format!r}. Others are made with "
            f"`kerasface export {name} --to …`."
        )
    file = model.files[format]
    path = fetch_file(base, file, progress=progress)
    sidecar = {"sha256": file.sha256, "spec": json.loads(file.spec.to_json())}
    text = json.dumps(sidecar, indent=1).encode()
    beside = path.with_name(path.name + ".json")
    if not beside.is_file() or beside.read_bytes() != text:
        write_atomically(beside, text, mode=0o644)
    return path


def load(name):
    """Loads an embedder as a Keras model.

    Args:
        name: of it.

    Returns:
        `FaceModel` without a head: `predict(images)` gives embeddings of (N, H, W, 3) RGB, 0…255.

    Raises:
        KerasfaceError: see `get`, or a file that is no Keras model.

    Example:
        >>> model = load("mobilefacenet.sface_photos_full")
        >>> tuned = FaceModel(model.backbone, heads.get("cosface", num_classes=80), mean=model.mean, std=model.std)
    """
    from kerasface.export import load_trained

    model, _ = load_trained(get(name, "keras"))
    return model
