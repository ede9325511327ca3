"""Recipe: the whole experiment in one validated YAML file."""

import dataclasses
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from kerasface.backbones._registry import backbones
from kerasface.data.augmentation import Augmentation
from kerasface.errors import KerasfaceError
from kerasface.heads._registry import heads
from kerasface.losses._registry import losses
from kerasface.training.recipe.registered import checked_by
from kerasface.training.recipe.section import Named, Section, Weighted
from kerasface.training.recipe.solver import CosineRate, Optimizer, Schedule, SGDSection
from kerasface.training.recipe.yaml_file import apply_change, complaints, read_tree

__all__ = ["Recipe"]


class Data(Section):
    """Where validation people come from, what an identity must have, and in which order photos come.

    `images_per_person` is of the sampler people_by_images alone.
    """

    held_out: Annotated[float, Field(gt=0, lt=1)] = 0.05
    min_images: Annotated[int, Field(ge=1)] = 1
    sampler: Literal["uniform", "class_balanced", "people_by_images"] = "uniform"
    images_per_person: Annotated[int, Field(ge=2)] = 4
    licence: str = "unknown"
    description: str = "unknown"


def _augmentation_section():
    """The fields of `kerasface.data.Augmentation` with their ranges; a face and its mirror image are one by default."""
    defaults = Augmentation(mirror=0.5)
    fields: dict[str, Any] = {
        field.name: (Annotated[float, Field(ge=0, le=field.metadata["high"])], getattr(defaults, field.name))
        for field in dataclasses.fields(Augmentation)
    }
    return pydantic.create_model("AugmentationSection", __base__=Section, **fields)


AugmentationSection = _augmentation_section()


class Teacher(Section):
    """An embedder, ONNX or TFLite, whose embeddings the student learns to give.

    `mean`, `std` and `channel_order` are the teacher's own preprocessing, (x − mean) / std; `weight` is that of the
    cosine distance beside the head's loss.
    """

    model: str
    mean: float
    std: Annotated[float, Field(gt=0)]
    channel_order: Literal["rgb", "bgr"]
    weight: Annotated[float, Field(gt=0)] = 1.0


_LEAST_PAIRS = 20


class Validation(Section):
    """Verification on held-out training identities after every epoch; `Recipe.best_by` chooses the best."""

    pairs: Annotated[int, Field(ge=_LEAST_PAIRS)] = 3000
    folds: Annotated[int, Field(ge=2)] = 10

    @pydantic.model_validator(mode="after")
    def _folds_divide_pairs(self):
        step = 2 * self.folds
        below = self.pairs // step * step
        if below != self.pairs:
            fitting = " or ".join(str(pairs) for pairs in (below, below + step) if pairs >= _LEAST_PAIRS)
            raise ValueError(f"pairs must be a multiple of 2 * folds, such as {fitting}; {self.pairs} is not")
        return self


class Strategy(Section):
    """How a batch is spread: over one device, the machine's GPUs, or the processes of a cluster.

    `sync_batch_norm` takes batch statistics over the whole batch; left out, where a replica gets fewer than 32 faces.
    """

    name: Literal["none", "mirrored", "multiworker"] = "none"
    sync_batch_norm: bool | None = None


# The class' other arguments come from the data and from `precision`.
_Backbone = Annotated[Named, checked_by(backbones, given={"dtype"})]
_Head = Annotated[Named, checked_by(heads, given={"num_classes"})]
_Loss = Annotated[Weighted, checked_by(losses, given={"num_classes"})]


class Recipe(Section):
    """One experiment: data, augmentation, backbone, head, optimizer, schedule, budget and validation.

    Args:
        name: of the model to come, `architecture.head_data`.
        epochs, steps: the budget, one of them: passes over the training identities' images, or batches.
        batch_size: B, of all replicas together.
        seed: of the split, the order, the augmentation and the first weights.
        backbone, head: a registered `name` and its arguments (`num_classes` comes from the data). The backbone may be
            left out where there is `initial`, and the head where there is a teacher or a loss.
        losses: of `kerasface.losses`, by `name` with their arguments and their `weight` beside the head's loss: triplet
            loss alone, softmax with centre loss. Those of pairs want the sampler people_by_images.
        teacher: section of a distillation, or None.
        initial: an earlier run's `best.keras`, or another embedder with its spec beside it, whose weights this run's
            backbone begins with. Without `backbone` it gives the architecture and the preprocessing too; with one,
            both must be its own. Of a run on the same photos keep the `seed`: another one holds out people whom
            these weights have seen, so that validation and thresholds look better than they are.
        prototypes: "class_means" begins the head's with the mean embedding of each person's photos under `initial`
            (weight imprinting), so that the first steps don't pull good embeddings towards random directions.
        frozen: names of the backbone's layers, or what they begin with, that keep their weights and statistics.
        mean, std: preprocessing, in pixel values.
        data, augmentation, optimizer, schedule, strategy, validation: sections, see their fields.
        precision: what the backbone computes in; "mixed_float16" and "mixed_bfloat16" keep its weights in float32, and
            float16 gets Keras' dynamic loss scale. Heads, losses, and the model that is validated, kept and exported
            are float32.
        jit_compile: compile the step with XLA; left out, Keras does where there is a GPU and one replica.
        steps_per_execution: steps that TensorFlow runs without coming back to Python, where counts, checkpoints and
            signals wait for it; more than 1 on one device only.
        checkpoint_minutes: time between checkpoints inside an epoch; one more is written after every epoch.

    Example:
        >>> recipe = Recipe.read("zoo/recipes/mobilefacenet_arcface_celeba.yaml", ["head.margin=0.4"])
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$")]
    epochs: Annotated[int, Field(ge=1)] | None = None
    steps: Annotated[int, Field(ge=1)] | None = None
    batch_size: Annotated[int, Field(ge=2)] = 64
    # What NumPy's and Keras' generators take.
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    data: Data = Data()
    augmentation: AugmentationSection = AugmentationSection()  # type: ignore[valid-type]
    backbone: _Backbone | None = None
    head: _Head | None = None
    losses: tuple[_Loss, ...] = ()
    teacher: Teacher | None = None
    initial: str | None = None
    prototypes: Literal["random", "class_means"] = "random"
    frozen: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    mean: float = 127.5
    std: Annotated[float, Field(gt=0)] = 127.5
    optimizer: Optimizer = SGDSection(name="sgd")
    schedule: Schedule = CosineRate()
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = "float32"
    jit_compile: bool | None = None
    steps_per_execution: Annotated[int, Field(ge=1)] = 1
    strategy: Strategy = Strategy()
    validation: Validation = Validation()
    checkpoint_minutes: Annotated[float, Field(gt=0)] = 10.0

    @property
    def best_by(self):
        """The figure of a run's log whose highest value makes an epoch the best one.

        Not accuracy: of a few hundred pairs it is the noise of ten thresholds, and chose epochs that had not yet learnt
        much. Where a teacher alone teaches, the mean cosine to its embeddings of photos held out: every photo counts in
        it, not a draw of pairs, and it goes on telling epochs apart when AUC no longer does.
        """
        alone = self.teacher is not None and self.head is None
        return "held_out_teacher_cosine" if alone else "held_out_auc"

    @pydantic.model_validator(mode="after")
    def _one_budget(self):
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("a recipe's budget is epochs or steps: give one of them (--set epochs=null takes one out)")
        return self

    @pydantic.model_validator(mode="after")
    def _warmup_ends(self):
        for unit in ("epochs", "steps"):
            warmup, budget = getattr(self.schedule, f"warmup_{unit}", 0), getattr(self, unit)
            if budget is not None and warmup >= budget:
                raise ValueError(f"schedule.warmup_{unit} is {warmup:g} of {budget} {unit}")
        return self

    @pydantic.model_validator(mode="after")
    def _something_teaches(self):
        if self.head is None and self.teacher is None and not self.losses:
            raise ValueError("nothing teaches: a recipe needs a head, losses or a teacher")
        return self

    @pydantic.model_validator(mode="after")
    def _initial_gives_what_is_left_out(self):
        if self.backbone is None and self.initial is None:
            raise ValueError("a recipe needs a backbone, or initial to take it from")
        if self.backbone is None and (self.mean, self.std) != (127.5, 127.5):
            raise ValueError("mean and std come with initial's backbone: leave them out")
        if self.prototypes == "class_means" and (self.initial is None or self.head is None):
            raise ValueError("prototypes: class_means need initial, whose embeddings they average, and a head")
        return self

    @classmethod
    def read(cls, path, changes=()):
        """Reads a YAML recipe.

        Args:
            path: of the file.
            changes: "section.field=value" texts that replace what the file says; values are YAML.

        Raises:
            KerasfaceError: no such file, not YAML, or a field that is missing, unknown or out of range; it is named.
        """
        tree = read_tree(path, "name, epochs, backbone and head")
        if "variants" in tree:
            raise KerasfaceError(f"{path} compares several recipes: give it to `kerasface compare`.")
        for change in changes:
            apply_change(tree, change)
        return cls.of_tree(tree, path)

    @classmethod
    def of_tree(cls, tree, where):
        """Makes the recipe of a tree of fields.

        Args:
            tree: dict, as YAML gives it.
            where: the file, for the message.

        Raises:
            KerasfaceError: a field that is missing, unknown or out of range; it is named.
        """
        try:
            return cls.model_validate(tree)
        except pydantic.ValidationError as error:
            raise KerasfaceError(
                "\n  ".join([f"{where} is not a valid recipe:", *complaints(error, _CHOSEN)])
            ) from error


_CHOSEN = {("optimizer", 1), ("schedule", 1)}
