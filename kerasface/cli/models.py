"""What a command calls MODEL: a file, or a name of the zoo."""

import importlib.util
from pathlib import Path

from kerasface.cli.console import error_console, import_training_side
from kerasface.errors import KerasfaceError
from kerasface.progress import progress_bar
from kerasface.quiet import quiet_standard_error

__all__ = ["embedder_file", "model_file", "open_embedder"]

# "face.tflite" has the form of a name, but whoever writes it means a file.
_ENDINGS = (".keras", ".tflite", ".onnx")


def model_file(model, *formats):
    """Returns the path of MODEL, fetched from the zoo where it is a name and no file.

    Args:
        model: a path, or a name such as mobilefacenet.sface_photos_full.
        *formats: of the zoo's files, the wanted one first; the first that the embedder has is taken.

    Raises:
        KerasfaceError: a name that the zoo doesn't have, or not in these formats; a path where no file is.
    """
    from kerasface.zoo.manifest import is_name

    if Path(model).exists():
        return Path(model)
    writers = "train" if Path(model).suffix == ".keras" else "export"
    if Path(model).suffix in _ENDINGS or not is_name(str(model)):
        raise KerasfaceError(
            f"no model file {model}. Is the path right, seen from {Path.cwd()}? `kerasface {writers}` writes such "
            "files, `kerasface zoo ls` lists names that serve as well."
        )
    from kerasface.zoo.client import find, get

    _, known = find(str(model))
    wanted = next((one for one in formats if one in known.files), formats[0])
    with progress_bar(error_console, f"fetching {model}") as update:
        return get(str(model), wanted, progress=update)


def embedder_file(model):
    """Returns the path of MODEL for measuring it: of a name the Keras file, or what does without TensorFlow."""
    keras, tflite = "keras", "tflite-fp16"
    return model_file(model, *((keras, tflite) if importlib.util.find_spec("tensorflow") else (tflite, keras)))


def open_embedder(path):
    """Returns `(embed, spec)` of a model file, told apart by content.

    `embed` refuses images that aren't crops of the model's size.

    Args:
        path: `.keras`, `.tflite` or `.onnx` file, or a name of the zoo.

    Raises:
        KerasfaceError: no such file, or none of these.
    """
    from kerasface.evaluation.representation import for_crops

    path = embedder_file(path)
    if _is_keras(path):
        try:
            import_training_side()
        except KerasfaceError as error:
            raise KerasfaceError(f"{error}. A .tflite file does without: `kerasface zoo get NAME` has some.") from error
        from kerasface.export import load_trained

        model, spec = load_trained(path)
        return for_crops(model.predict_on_batch, spec), spec
    from kerasface.edge import Embedder

    with quiet_standard_error():
        embedder = Embedder.load(path)
    return for_crops(embedder.embed, embedder.spec), embedder.spec


def _is_keras(path):
    from kerasface.edge.runtime import KERAS_BEGIN

    path = Path(path)
    if not path.is_file():
        return False  # Embedder.load says what is wrong
    with open(path, "rb") as file:
        return file.read(len(KERAS_BEGIN)) == KERAS_BEGIN
