"""Opens what a command calls MODEL: a trained .keras file or an exported one."""

from pathlib import Path

from kerasface.cli.console import import_training_side, quiet_standard_error

__all__ = ["open_embedder"]


def open_embedder(path):
    """Returns `(embed, spec)` of a model file, told apart by content: Keras files are zip archives.

    Args:
        path: `.keras`, `.tflite` or `.onnx` file.

    Raises:
        KerasfaceError: no such file, or none of these.
    """
    if _is_zip(path):
        import_training_side()
        from kerasface.export import load_trained

        model, spec = load_trained(path)
        return model.predict_on_batch, spec
    from kerasface.edge import Embedder

    with quiet_standard_error():
        embedder = Embedder.load(path)
    return embedder.embed, embedder.spec


def _is_zip(path):
    path = Path(path)
    if not path.is_file():
        return False  # Embedder.load says what is wrong
    with open(path, "rb") as file:
        return file.read(4) == b"PK\x03\x04"
