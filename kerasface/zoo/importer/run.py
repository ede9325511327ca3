"""The import from beginning to end: read, match, load, save, prove what was saved, and only then put it in place."""

import dataclasses
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from kerasface import __version__
from kerasface.evaluation import unit
from kerasface.export import embedder_spec, load_trained
from kerasface.export.metadata import write_sidecar
from kerasface.model import FaceModel
from kerasface.spec import EmbedderSpec
from kerasface.zoo.importer.card import card
from kerasface.zoo.importer.images import proof_images
from kerasface.zoo.importer.proof import Proof, prove, require
from kerasface.zoo.importer.sources import open_source
from kerasface.zoo.importer.writing import check_target, hand_over
from kerasface.zoo.local import register

__all__ = ["ImportReport", "import_weights"]

_MODEL, _PROOF, _CARD = "model.keras", "proof.json", "card.md"


@dataclasses.dataclass(frozen=True)
class ImportReport:
    """What an import wrote, and the proof that came with it.

    Args:
        folder: with model.keras, its sidecar model.keras.json, proof.json and card.md.
        arch: name of the architecture.
        source_sha256: of the file that was imported.
        spec: `EmbedderSpec`.
        proof: `Proof`.
    """

    folder: str
    arch: str
    source_sha256: str
    spec: EmbedderSpec
    proof: Proof

    @property
    def model_path(self):
        """The file that `kerasface evaluate` and `kerasface export` take."""
        return str(Path(self.folder) / _MODEL)


def import_weights(
    source: str | Path,
    *,
    arch: str,
    name: str,
    out: str | Path | None = None,
    images: str | Path | None = None,
    mean: float | tuple[float, float, float] | None = None,
    std: float | tuple[float, float, float] | None = None,
    color_order: str = "rgb",
    origin: str | None = None,
    licence: str = "unknown",
    training_data: str = "unknown",
    progress: Callable[[int, int], None] | None = None,
) -> ImportReport:
    """Brings weights that exist elsewhere into one of our architectures, and proves that both embed alike.

    Sources are state dicts of insightface's arcface_torch (`.pt`, `.pth`, `.safetensors`; nothing in them is run), and
    float32 ONNX and TFLite files. Graphs are matched by structure, not by name: batch norm may be folded or not, PReLU
    written in any operators, means and scales stand in the graph or be given here.

    Args:
        source: the file.
        arch: "iresnet18", "iresnet34", "iresnet50", "iresnet100", "iresnet200", "mbf" or "mobilefacenet"; sizes are
            read from the source.
        name: of the new model, `architecture.head_data` as in the zoo.
        out: folder to make; by default `name` in the user's own zoo.
        images: folder of at least 64 photos to prove it on; by default crops of a portrait, see `proof_images`.
        mean, std: what the source's own input wants, in pixel values. By default nothing where the source's graph
            prepares its pixels, else 127.5 and 127.5, as insightface's files want it.
        color_order: "rgb" or "bgr", of the pixels that the source wants.
        origin: where the source was got from; by default its file name.
        licence: of the weights, as their author states it.
        training_data: what the weights have seen, if that is known.
        progress: called as `progress(done, total)`, in images of the proof.

    Returns:
        `ImportReport`.

    Raises:
        KerasfaceError: a source that can't be read or is another network, naming the tensor; or an import that does not
            answer as its source within a relative 1e-4 and a cosine of .99999. Nothing is written then.

    Example:
        >>> report = import_weights("backbone.pth", arch="iresnet50", name="iresnet50.arcface_ms1mv3")
        >>> model, spec = kerasface.export.load_trained(report.model_path)
    """
    source = Path(source)
    target = check_target(name, out)
    opened = open_source(source, arch, mean=mean, std=std, color_order=color_order)
    wanted = opened.preprocessing
    model = FaceModel(
        opened.backbone,
        mean=_scalar(wanted.mean),
        std=_scalar(wanted.std),
        color_order=wanted.color_order,
        name=opened.backbone.name,
        dtype="float32",
    )
    spec = embedder_spec(model, name=name, training_data=training_data, licence=licence)
    pictures, images_from = proof_images(spec.input_shape[:2], images)
    with tempfile.TemporaryDirectory(prefix="kerasface-") as folder:
        staged = Path(folder) / "staged"
        staged.mkdir()
        model.save(staged / _MODEL)
        write_sidecar(staged / _MODEL, spec)
        saved, _ = load_trained(staged / _MODEL)  # the file itself is proven, not what it was written from

        def ours(batch):
            embeddings = saved.predict_on_batch(batch)
            return unit(embeddings) if opened.is_unit else embeddings

        proof = prove(opened.run, ours, pictures, runtime=opened.runtime, images_from=images_from, progress=progress)
        require(proof)
        origin = origin or source.name
        text = card(spec, proof, arch=arch, source=source.name, sha256=opened.sha256, origin=origin)
        facts = {
            "arch": arch, "kerasface": __version__, "origin": origin, "source": source.name,
            "source_sha256": opened.sha256, **json.loads(proof.to_json()),
        }  # fmt: skip
        (staged / _PROOF).write_text(json.dumps(facts, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        (staged / _CARD).write_text(text, encoding="utf-8")
        hand_over(staged, target)
        if out is None:
            register(
                target / _MODEL,
                spec,
                origin=origin,
                licence=licence,
                training_data=training_data,
                library_version=__version__,
            )
    return ImportReport(str(target), arch, opened.sha256, spec, proof)


def _scalar(values):
    return values[0] if len(set(values)) == 1 else values
