"""The end of a run: the best model's spec, its thresholds calibrated on held-out people, beside the model."""

import json

import keras

from kerasface.edge.atomic import write_atomically
from kerasface.errors import KerasfaceError
from kerasface.evaluation import calibrate_tail, impostor_tail, represent
from kerasface.export import embedder_spec
from kerasface.export.metadata import write_sidecar

__all__ = ["write_outcome"]

# From convenience to caution; a rate that the held-out people can't support is left out.
_FARS = (1e-2, 1e-3)


def write_outcome(recipe, held_out, model_path, out):
    """Writes the `EmbedderSpec` of the best model beside it.

    Thresholds come from all pairs of held-out images, at the false accept rates that their number supports.

    Args:
        recipe: `Recipe` of the run.
        held_out: `FaceSource` of people that training never saw.
        model_path: the `.keras` file.
        out: folder of the run; a rate that is left out is explained in its `thresholds.json`.

    Returns:
        `EmbedderSpec`.
    """
    model = keras.saving.load_model(model_path)
    unit = represent(model.predict_on_batch, held_out.photos, batch_size=64)
    tail = impostor_tail(unit, held_out.labels, rate=max(_FARS))
    thresholds, left_out = [], {}
    for far in _FARS:
        try:
            calibrated_on = f"{len(held_out.names)} people held out of {recipe.data.description}"
            thresholds.append(calibrate_tail(tail, far=far, calibrated_on=calibrated_on, precision="fp32"))
        except KerasfaceError as error:
            left_out[str(far)] = str(error)
    spec = embedder_spec(
        model,
        name=recipe.name,
        training_data=recipe.data.description,
        licence=recipe.data.licence,
        thresholds=thresholds,
    )
    write_sidecar(model_path, spec)
    write_atomically(out / "thresholds.json", json.dumps({"left_out": left_out}, indent=1).encode(), mode=0o644)
    return spec
