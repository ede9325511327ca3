"""The trainer: a recipe and a folder of faces to a validated model, stoppable and resumable at every step."""

import errno
import functools
import json
import os
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from rich.console import Console

from kerasface.data import Augmentation, batches, check_files, list_photos, open_faces, split_identities
from kerasface.distribution import in_several_processes
from kerasface.edge.atomic import write_atomically
from kerasface.errors import KerasfaceError
from kerasface.model import FaceModel
from kerasface.progress import progress_bar
from kerasface.training.averaging import follow, start_averages
from kerasface.training.batch_norm import is_synchronised, saved_as_local, synchronise_batch_norm
from kerasface.training.build import build_model
from kerasface.training.callbacks import FiniteLoss, PeriodicCheckpoint, ProgressDisplay, StopOnSignal
from kerasface.training.checkpoints import Checkpoints
from kerasface.training.initial import begin_with
from kerasface.training.make_optimizer import make_optimizer
from kerasface.training.outcome import write_outcome
from kerasface.training.recipe import Recipe
from kerasface.training.result import TrainingResult
from kerasface.training.sameness import changes_between
from kerasface.training.sampling import sampler_of
from kerasface.training.strategy import agreed, follow_chief, is_chief, open_strategy, share_of_batches
from kerasface.training.suspects import write_suspects
from kerasface.training.teacher import teacher_embeddings
from kerasface.training.validation import HeldOutVerification

__all__ = ["train"]

_BEST = "best.keras"
_NOT_FINITE = "not_finite.json"
# No room on the disk, none left in the user's share of it, or none in a file.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# What collective operations end with when a partner does.
_LOST = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError)


def train(recipe, data, out, *, photos=(), resume=False, console=None):
    """Trains a recipe.

    After every epoch the model is verified on pairs of people held out of training, the best epoch is kept, and a line
    is added to `log.jsonl`. Ctrl-C or SIGTERM finishes the step, writes a checkpoint and returns.

    Args:
        recipe: `Recipe`.
        data: aligned faces, anything that `open_faces` opens.
        photos: folders of more aligned photos, of people not known: only a recipe with a teacher can use them.
        out: folder of this run: `checkpoints/`, `best.keras`, `log.jsonl`, `recipe.json`, `result.json`.
        resume: go on from the newest whole checkpoint in `out`.
        console: `rich.console.Console` for the progress; a new one by default.

    Returns:
        `TrainingResult`.

    Raises:
        KerasfaceError: unusable data; `out` holds a run already and `resume` is not set; nothing to resume; another
            recipe or other images than the run was begun with; a loss that is no number; a full disk.

    Example:
        >>> train(Recipe.read("recipe.yaml"), "faces/aligned", "runs/first").held_out_accuracy
        0.85
    """
    run = _Run(recipe, Path(data), photos, Path(out), console or Console())
    try:
        return run.train(resume)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise KerasfaceError(
            f"can't write to {out}: {error.strerror}. The newest whole checkpoint is "
            f"{run.checkpoints.newest_name or 'none'}; make room and run again with --resume."
        ) from error


class _Run:
    """One run's parts and state; only `train` makes it."""

    def __init__(self, recipe, data, photos, out, console):
        self.strategy = open_strategy(recipe.strategy.name)
        self.chief = is_chief(self.strategy)
        self.recipe, self.out = recipe, out
        self.console = console if self.chief else Console(quiet=True)
        faces = open_faces(data, min_images=recipe.data.min_images)
        training, held_out = split_identities(faces.labels, fraction=recipe.data.held_out, seed=recipe.seed)
        if photos and recipe.teacher is None:
            raise KerasfaceError("photos without identities train nothing without a teacher: add one to the recipe.")
        self.faces = faces.select(training)
        self.people, self.images = len(self.faces.names), len(self.faces)
        more = [path for folder in photos for path in list_photos(folder)]
        self.faces, faces = self.faces.with_photos(more), faces.with_photos(more)
        self.held_out = faces.select(held_out)
        self.sampler = sampler_of(recipe, self.faces)
        settings = recipe.validation
        self.validate = HeldOutVerification(self.held_out, pairs=settings.pairs, folds=settings.folds, seed=recipe.seed)
        self.steps_per_epoch = len(self.faces) // recipe.batch_size
        if not self.steps_per_epoch:
            raise KerasfaceError(
                f"{len(self.faces)} training images make no batch of {recipe.batch_size}. Received: "
                f"batch_size={recipe.batch_size}. Lower batch_size or add images."
            )
        replicas = self.strategy.num_replicas_in_sync
        if recipe.batch_size % replicas:
            raise KerasfaceError(
                f"{replicas} replicas can't share a batch equally. Received: batch_size={recipe.batch_size}. Choose a "
                f"multiple of {replicas}."
            )
        # An execution would run past the end of an epoch, whose stream has none over replicas (`share_of_batches`), and
        # Keras updates accumulated gradients inside a condition, where replicas can't meet.
        for field, value in (
            ("steps_per_execution", recipe.steps_per_execution),
            ("optimizer.accumulation", recipe.optimizer.accumulation),
        ):
            if replicas > 1 and value > 1:
                raise KerasfaceError(f"{field} must be 1 over {replicas} replicas. Received: {field}={value}")
        self.last_step = recipe.steps or self.steps_per_epoch * recipe.epochs
        self.epochs = -(-self.last_step // self.steps_per_epoch)
        self.checkpoints = Checkpoints(out / "checkpoints")
        self.state = {
            "step": 0, "epoch_loss": 0.0, "best_epoch": 0, "best_accuracy": 0.0, "wall_seconds": 0.0, "history": [],
            "faces": faces.fingerprint(),
        }  # fmt: skip

    def train(self, resume):
        self._claim_folder(resume)
        model = self._new_model()
        # Made outside the strategy's scope of the same layers and optimizer: what one process does alone, validation
        # and checkpoints, it does with these.
        self.alone = self._of_same_layers(model) if self._validates_what_it_trains() else self._built("float32")
        self.checkpointed = self._of_same_layers(model)
        self.checkpointed.compile(optimizer=model.optimizer)
        if resume:
            self._resume_into(model)
        else:
            with self.strategy.scope():  # on every replica
                if self.recipe.initial is not None:
                    begin_with(model, self.recipe.initial)
                start_averages(model)
        self._say_hello(model)
        self._ask_teacher()
        display = ProgressDisplay(
            self.console,
            batch_size=self.recipe.batch_size,
            first_step=self.state["step"],
            last_step=self.last_step,
        )
        stop = StopOnSignal(functools.partial(agreed, self.strategy))
        self._clock = time.monotonic()
        with stop, display.bar:
            while self.state["step"] < self.last_step and not stop.asked():
                self._epoch(model, display, stop)
        return self._finish(display)

    def _ask_teacher(self):
        self.teacher = None
        if self.recipe.teacher is not None:
            with progress_bar(self.console, "asking the teacher") as update:
                self.teacher = teacher_embeddings(self.recipe.teacher, self.faces.photos, progress=update)

    def _epoch(self, model, display, stop):
        epoch = self.state["step"] // self.steps_per_epoch
        recipe = self.recipe
        first, last = self.state["step"], self._end_of_epoch()
        stream = share_of_batches(
            self.strategy,
            batches,
            faces=self.faces,
            batch_size=recipe.batch_size,
            seed=recipe.seed,
            size=model.backbone.input_shape[1:3],
            augmentation=Augmentation(**recipe.augmentation.model_dump()),
            teacher=self.teacher,
            sampler=self.sampler,
            first_step=first,
            last_step=last,
        )
        saver = PeriodicCheckpoint(recipe.checkpoint_minutes, lambda: self._checkpoint_inside(model, display))
        callbacks = [
            FiniteLoss(functools.partial(self._not_finite, model)),
            display,
            stop,
            *([saver] if self.chief else []),
        ]
        try:
            model.fit(stream, steps_per_epoch=last - first, verbose=0, shuffle=False, callbacks=callbacks)
        except tf.errors.OpError as error:
            if in_several_processes(self.strategy) and isinstance(error, _LOST):
                raise KerasfaceError(
                    "another process of this run is gone: start all of them again with --resume."
                ) from error
            check_files(self.faces, size=model.backbone.input_shape[1:3])
            raise
        self.state.update(epoch_loss=self._epoch_loss(display), step=display.step)
        if not self.chief:
            return
        if display.step < last:  # a signal stopped it
            self._checkpoint(self.state)
            return
        started = time.monotonic()
        if not self._validates_what_it_trains():
            follow(self.alone, model)
        result = self.validate(self.alone)
        display.pause(time.monotonic() - started)
        line = {
            "epoch": epoch + 1,
            "step": display.step,
            "loss": self.state["epoch_loss"],
            "learning_rate": float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)),
            "held_out_accuracy": result.accuracy_mean,
            "held_out_accuracy_std": result.accuracy_std,
            "held_out_auc": result.auc,
            "images_per_second": display.images_per_second,
        }
        if not self.state["best_epoch"] or result.accuracy_mean > self.state["best_accuracy"]:
            self.state.update(best_epoch=epoch + 1, best_accuracy=result.accuracy_mean)
            self._keep_best()
        self.state["history"].append(line)
        self._checkpoint(self.state)
        # Written whole, so that an epoch that is done again after a crash doesn't stand there twice.
        _write_text(self.out / "log.jsonl", "".join(json.dumps(line) + "\n" for line in self.state["history"]))
        self.console.print(
            f"epoch {epoch + 1}/{self.epochs}  {display.figures(line)}  held-out verification "
            f"{result.accuracy_mean:.2%} ± {result.accuracy_std:.2%}  AUC {result.auc:.4f}",
            soft_wrap=True,
        )

    def _not_finite(self, model, loss, first, last):
        first, last = self.state["step"] + first, self.state["step"] + last
        report = self.out / _NOT_FINITE
        rate = float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))
        if self.chief:
            span = {"first": first, "last": last}
            write_suspects(report, self.recipe, self.faces, self.sampler, loss=loss, learning_rate=rate, **span)
        raise KerasfaceError(
            f"the loss became {loss} at step {last + 1}; the batch's files are in {report}, and the newest good "
            f"checkpoint is {self.checkpoints.newest_finite() or 'none'}. Look at the files; else lower "
            "optimizer.learning_rate, head.margin or head.scale, or set optimizer.clip_norm, and run again with "
            "another --out."
        )

    def _finish(self, display):
        best = self.out / _BEST
        result = TrainingResult(
            name=self.recipe.name,
            finished=self.state["step"] >= self.last_step,
            epochs=len(self.state["history"]),
            steps=self.state["step"],
            identities=self.people,
            images=len(self.faces),
            best_epoch=self.state["best_epoch"],
            held_out_accuracy=self.state["best_accuracy"],
            images_per_second=display.images_per_second,
            wall_seconds=self._wall_seconds(),
            history=tuple(self.state["history"]),
            model_path=str(best),
        )
        if self.state["best_epoch"]:  # a stopped run's best model can be used as well
            write_outcome(self.recipe, self.held_out, best, self.out)
        if self.chief:
            _write_text(self.out / "result.json", result.to_json())
        agreed(self.strategy, True)  # a process that left earlier would count as lost
        return result

    def _claim_folder(self, resume):
        if not self.chief:
            return
        recipe = self.out / "recipe.json"
        wanted = json.loads(self.recipe.model_dump_json())
        if resume:
            if not self.checkpoints.exist():
                raise KerasfaceError(
                    f"nothing to resume: no checkpoint in {self.checkpoints.folder}. Leave --resume out."
                )
            try:
                # Through the schema: a field that this version added has its default.
                begun = Recipe.model_validate_json(recipe.read_text(encoding="utf-8"))
                changes = changes_between(json.loads(begun.model_dump_json()), wanted)
            except (OSError, ValueError) as error:
                raise KerasfaceError(f"can't tell which recipe the run was begun with: {recipe}: {error}") from error
            if changes:
                raise KerasfaceError("\n  ".join(["the run was begun with another recipe:", *changes]))
            return
        if self.checkpoints.exist() or (self.out / _BEST).exists():
            raise KerasfaceError(f"{self.out} holds a run already: add --resume to go on, or name another --out.")
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            _write_text(recipe, json.dumps(wanted, indent=1))
        except OSError as error:
            raise KerasfaceError(f"can't write to {self.out}: {error.strerror}. Name another --out.") from error

    def _new_model(self):
        recipe = self.recipe
        keras.utils.set_random_seed(recipe.seed)
        with self.strategy.scope():
            model = self._built(recipe.precision)
            model.compile(
                optimizer=make_optimizer(recipe, steps_per_epoch=self.steps_per_epoch, last_step=self.last_step),
                jit_compile="auto" if recipe.jit_compile is None else recipe.jit_compile,
                steps_per_execution=recipe.steps_per_execution,
            )
            model.optimizer.build(model.trainable_variables)
        replicas = self.strategy.num_replicas_in_sync
        if is_synchronised(recipe.strategy.sync_batch_norm, batch_size=recipe.batch_size, replicas=replicas):
            synchronise_batch_norm(model)
        return model

    def _validates_what_it_trains(self):
        return self.recipe.precision == "float32" and self.recipe.optimizer.ema is None

    def _built(self, precision):
        return build_model(self.recipe, len(self.faces.names), precision=precision)

    def _resume_into(self, model):
        variables = [*model.weights, *model.optimizer.variables]
        if self.chief:
            saved, state = self.checkpoints.newest(warn=self.console.print)
            changes = changes_between(state["faces"], self.state["faces"])
            if changes:
                raise KerasfaceError("\n  ".join(["the run was begun with other images:", *changes]))
            self.state = state
            with self.strategy.scope():  # on every replica
                for ours, theirs in zip(variables, [*saved.weights, *saved.optimizer.variables], strict=True):
                    ours.assign(theirs)
            self.console.print(f"resuming at step {self.state['step']} of {self.last_step}")
        with self.strategy.scope():
            step = tf.Variable(self.state["step"], dtype=tf.int64)
        follow_chief(self.strategy, [*variables, step])
        self.state["step"] = int(step.numpy())

    def _checkpoint(self, state):
        with saved_as_local(self.checkpointed):
            self.checkpoints.write(self.checkpointed, {**state, "wall_seconds": self._wall_seconds()})

    def _checkpoint_inside(self, model, display):
        # An epoch's last step gets its checkpoint after validation (one from before would skip it when resumed), and a
        # step that a signal made the last gets it when `fit` has returned.
        if display.step < self._end_of_epoch() and not model.stop_training:
            self._checkpoint({**self.state, "step": display.step, "epoch_loss": self._epoch_loss(display)})

    def _end_of_epoch(self):
        return min((self.state["step"] // self.steps_per_epoch + 1) * self.steps_per_epoch, self.last_step)

    def _epoch_loss(self, display):
        """Mean over the epoch's steps so far, also those before this process."""
        before = self.state["step"] % self.steps_per_epoch
        now = display.step - self.state["step"]
        return (self.state["epoch_loss"] * before + display.loss * now) / (before + now)

    def _wall_seconds(self):
        return self.state["wall_seconds"] + time.monotonic() - self._clock

    def _keep_best(self):
        # Without the optimizer: half the size, and nothing that only training needs.
        draft = self.out / f".draft_{_BEST}"
        try:
            with saved_as_local(self.alone):
                self.alone.save(draft)
            os.replace(draft, self.out / _BEST)
        finally:
            draft.unlink(missing_ok=True)

    def _of_same_layers(self, model):
        return FaceModel(
            model.backbone,
            model.head,
            teacher_weight=model.teacher_weight,
            frozen=model.frozen,
            mean=model.mean,
            std=model.std,
            name=model.name,
            dtype=model.dtype_policy,
        )

    def _say_hello(self, model):
        count = sum(int(np.prod(weight.shape)) for weight in model.backbone.trainable_weights)
        self.console.print(
            f"{self.recipe.name}: {model.backbone.name} with {count:,} parameters, {' and '.join(self._teachers())} "
            f"over {self.people:,} people ({self.images:,} images) and {len(self.faces) - self.images:,} photos "
            f"without a name; {len(self.held_out.names)} people "
            f"({len(self.held_out)} images) held out; {self.last_step} steps, "
            f"{self.steps_per_epoch} an epoch",
            soft_wrap=True,
        )

    def _teachers(self):
        head, teacher = self.recipe.head, self.recipe.teacher
        return [*([head.name] if head else []), *(["a teacher"] if teacher else [])]


def _write_text(path, text):
    write_atomically(path, text.encode(), mode=0o644)
