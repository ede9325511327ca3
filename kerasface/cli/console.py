"""Where commands write: results to standard output, progress and errors to standard error."""

import importlib
from pathlib import Path

from rich.console import Console

from kerasface.errors import KerasfaceError
from kerasface.quiet import quiet_standard_error

__all__ = ["console", "counted", "error_console", "import_extra", "import_training_side", "people_text"]

# Names of people and files are told as they are: markup would swallow "[new]" of them, and make an emoji of ":key:".
console = Console(markup=False, emoji=False)
error_console = Console(stderr=True, markup=False, emoji=False)


def import_training_side(*paths):
    """Imports TensorFlow and Keras without the notes that they write to standard error on the way.

    Args:
        *paths: what the command will read, None where an option was left out: a mistyped path is told before the
            seconds that the import takes.

    Raises:
        KerasfaceError: a path where nothing is, or they are not installed.
    """
    for path in paths:
        if path is not None and not path.exists():
            raise KerasfaceError(f"no folder or file {path}. Is the path right, seen from {Path.cwd()}?")
    try:
        with quiet_standard_error():
            import tensorflow
        # Its advice on retracing is for whoever writes the loop, not for whoever waits for it.
        tensorflow.get_logger().setLevel("ERROR")
    except ModuleNotFoundError as error:
        raise KerasfaceError(f"this command needs {error.name}: pip install 'kerasface[train,onnx]'") from error


def import_extra(name):
    """Imports a package that the training extra brings, before minutes of work that would need it.

    Args:
        name: of the package.

    Raises:
        KerasfaceError: it is not installed.
    """
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise KerasfaceError(
            f"this needs {error.name}: pip install {error.name}, or 'kerasface[train]', which brings it"
        ) from error


def counted(count, one, many=None):
    """Returns "1 photo", "2 photos"; of irregular nouns give the plural too."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def people_text(count):
    """Returns "1 person", "2 people"."""
    return counted(count, "person", "people")
