"""The trainer: a recipe and a folder of faces to a validated model, stoppable and resumable at every step."""

import contextlib
import errno
import functools
import time
from pathlib import Path

import keras
import tensorflow as tf
from rich.console import Console

from kerasface.data import Augmentation, batches, check_files
from kerasface.distribution import in_several_processes
from kerasface.errors import KerasfaceError
from kerasface.progress import progress_bar
from kerasface.training.build import build_model, compiled_model, of_same_layers
from kerasface.training.imprint import imprint
from kerasface.training.initial import begin_with
from kerasface.training.optimization.averaging import follow, start_averages
from kerasface.training.optimization.batch_norm import estimate_statistics, saved_as_local
from kerasface.training.progress.callbacks import FiniteLoss, PeriodicCheckpoint, ProgressDisplay, StopOnSignal
from kerasface.training.progress.greeting import greeting
from kerasface.training.progress.input_clock import InputClock
from kerasface.training.progress.telemetry import Telemetry
from kerasface.training.run.budget import budget_of
from kerasface.training.run.outcome import write_outcome
from kerasface.training.run.random_state import random_state, set_random_state
from kerasface.training.run.result import TrainingResult
from kerasface.training.run.run_faces import open_run_faces
from kerasface.training.run.run_folder import RunFolder
from kerasface.training.run.run_state import RunState
from kerasface.training.sampling import sampler_of
from kerasface.training.strategy import agreed, follow_chief, is_chief, open_strategy, share_of_batches
from kerasface.training.suspects import write_suspects
from kerasface.training.teacher import teacher_embeddings
from kerasface.training.validation import HeldOutVerification

__all__ = ["train"]

# No room on the disk, none left in the user's share of it, or none in a file.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# Photos that batch norm's statistics under averaged weights are taken from.
_STATISTICS = 2048
_TO_TEACHER = "held_out_teacher_cosine"
# What collective operations end with when a partner does.
_LOST = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError)


def train(recipe, data, out, *, photos=(), resume=False, tensorboard=False, console=None):
    """Trains a recipe.

    After every epoch the model is verified on pairs of people held out of training, the best epoch (`Recipe.best_by`)
    is kept, and a line is added to `log.jsonl`. Ctrl-C or SIGTERM finishes the step, writes a checkpoint and returns.

    Args:
        recipe: `Recipe`.
        data: aligned faces, anything that `open_faces` opens.
        photos: folders of more aligned photos, of people not known: only a recipe with a teacher can use them.
        out: folder of this run: `checkpoints/`, `best.keras`, `log.jsonl`, `recipe.json`, `result.json`.
        resume: go on from the newest whole checkpoint in `out`.
        tensorboard: write `tensorboard/` as well: every step's figures, a batch as the network sees it, and the
            embeddings of held-out photos. It holds faces, and the names of their folders.
        console: `rich.console.Console` for the progress; a new one by default.

    Returns:
        `TrainingResult`.

    Raises:
        KerasfaceError: unusable data; `out` holds a run already and `resume` is not set; nothing to resume; another
            process trains into `out`; another recipe or other images than the run was begun with; a loss that is no
            number; a full disk.

    Example:
        >>> train(Recipe.read("recipe.yaml"), "faces/aligned", "runs/first").held_out_accuracy
        0.85
    """
    run = _Run(recipe, Path(data), photos, Path(out), console or Console(), resume)
    try:
        with run.held:
            return run.train(resume, tensorboard)
    except _LOST as error:
        if not in_several_processes(run.strategy):
            raise
        raise KerasfaceError(
            "another process of this run is gone, and what it said tells why. Start all of them again, with --resume "
            "where the run has a checkpoint."
        ) from error
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise KerasfaceError(f"can't write to {out}: {error.strerror}. {run.folder.checkpoints.way_on}") from error


class _Run:
    """One run's parts and state; only `train` makes it."""

    def __init__(self, recipe, data, photos, out, console, resume):
        self.strategy = open_strategy(recipe.strategy.name)
        self.chief = is_chief(self.strategy)
        self.recipe, self.folder = recipe, RunFolder(out)
        self.console = console if self.chief else Console(quiet=True)
        self.held = contextlib.ExitStack()
        if self.chief:  # before people are split by a recipe that isn't this run's
            self.folder.check(recipe, resume)
        self.faces = open_run_faces(recipe, data, photos)
        self.sampler = sampler_of(recipe, self.faces.training)
        settings = recipe.validation
        self.validate = HeldOutVerification(
            self.faces.held_out, pairs=settings.pairs, folds=settings.folds, seed=recipe.seed
        )
        self.budget = budget_of(recipe, len(self.faces.training), self.strategy.num_replicas_in_sync)
        self.state = RunState(self.faces.fingerprint)
        # Over replicas batches are fetched in advance, behind the stream's back.
        self.clock = InputClock() if self.strategy.num_replicas_in_sync == 1 else None

    def train(self, resume, tensorboard):
        model = compiled_model(self.recipe, self.faces.people, self.strategy, self.budget)
        for faces in (self.faces.training, self.faces.held_out):  # as a rule all are of another size, or none
            check_files(faces.take([0]), size=model.backbone.input_shape[1:3])
        # Made outside the strategy's scope of the same layers and optimizer: what one process does alone, validation
        # and checkpoints, it does with these.
        self.alone = of_same_layers(model) if self._validates_what_it_trains() else self._in_float32()
        self.checkpointed = of_same_layers(model)
        self.checkpointed.compile(optimizer=model.optimizer)
        if resume:
            self._occupy(resume)
            self._resume_into(model)
        else:
            with self.strategy.scope():  # on every replica
                if self.recipe.initial is not None:
                    begin_with(model, self.recipe.initial)
            self._occupy(resume)  # now that nothing of the recipe is found impossible any more
            if self.chief:
                self.folder.claim(self.recipe)
            with self.strategy.scope():
                if self.recipe.prototypes == "class_means":
                    imprint(model, self.faces.training)
                start_averages(model)
        self.console.print(greeting(self.recipe, model, self.faces, self.budget), soft_wrap=True)
        self._ask_teacher(model.backbone.output_shape[-1])
        display = ProgressDisplay(
            self.console,
            batch_size=self.recipe.batch_size,
            first_step=self.state.step,
            last_step=self.budget.last_step,
            waited=None if self.clock is None else lambda: self.clock.waited_seconds,
        )
        self.telemetry = None
        if tensorboard and self.chief and self.state.step < self.budget.last_step:
            self.telemetry = Telemetry(self.folder.tensorboard, display)
            first = self.state.step
            with self._naming_photos(model):
                batch = next(iter(batches(**self._stream(model), first_step=first, last_step=first + 1)))
            self.telemetry.input(first, batch)
        stop = StopOnSignal(functools.partial(agreed, self.strategy))
        self.state.start_clock()
        with stop, display.bar:
            while self.state.step < self.budget.last_step and not stop.asked():
                first, last = self.state.step, self.budget.end_of_epoch(self.state.step)
                self._fit(model, first, last, display, stop)
                if self.chief and display.step < last:  # a signal stopped it
                    self._checkpoint(self.state.as_dict())
                elif self.chief:
                    self._end_epoch(model, first, display)
        return self._finish(display)

    def _occupy(self, resume):
        if self.chief:
            self.held.enter_context(self.folder.occupied())
            self.folder.check(self.recipe, resume)  # again: another process may have trained into it meanwhile

    def _ask_teacher(self, embedding_dim):
        self.teacher = self.teacher_of_held_out = None
        if self.recipe.teacher is not None:
            ask = functools.partial(teacher_embeddings, self.recipe.teacher, embedding_dim=embedding_dim)
            with progress_bar(self.console, "asking the teacher") as update:
                self.teacher = ask(self.faces.training.photos, progress=update)
            with progress_bar(self.console, "asking the teacher about photos held out") as update:
                self.teacher_of_held_out = ask(self.faces.held_out.photos, progress=update)

    def _fit(self, model, first, last, display, stop):
        """Trains from step `first` to the epoch's end at `last`, or to where a signal stops it."""
        stream = share_of_batches(self.strategy, batches, **self._stream(model), first_step=first, last_step=last)
        if self.clock:
            stream = self.clock.watch(stream)
        saver = PeriodicCheckpoint(
            self.recipe.checkpoint_minutes, lambda: self._checkpoint_inside(model, last, display)
        )
        callbacks = [
            FiniteLoss(functools.partial(self._not_finite, model)),
            display,
            stop,
            *([saver] if self.chief else []),
            *([self.telemetry] if self.telemetry else []),
        ]
        with self._naming_photos(model):
            model.fit(stream, steps_per_epoch=last - first, verbose=0, shuffle=False, callbacks=callbacks)
        self.state.epoch_loss = self._mean_loss(display)
        self.state.step = display.step

    @contextlib.contextmanager
    def _naming_photos(self, model):
        """Names the photo that a stream stumbled over, which TensorFlow doesn't."""
        try:
            yield
        except tf.errors.OpError as error:
            if in_several_processes(self.strategy) and isinstance(error, _LOST):
                raise  # no photo's fault
            check_files(self.faces.training, size=model.backbone.input_shape[1:3])
            raise

    def _stream(self, model):
        """What `batches` must know to give this run's stream, wherever it begins."""
        recipe = self.recipe
        return {
            "faces": self.faces.training,
            "batch_size": recipe.batch_size,
            "seed": recipe.seed,
            "size": model.backbone.input_shape[1:3],
            "augmentation": Augmentation(**recipe.augmentation.model_dump()),
            "teacher": self.teacher,
            "sampler": self.sampler,
        }

    def _end_epoch(self, model, first, display):
        """Validates, keeps the best, writes the checkpoint and the line of the epoch that holds step `first`."""
        state, epoch = self.state, first // self.budget.steps_per_epoch + 1
        started = time.monotonic()
        if not self._validates_what_it_trains():
            follow(self.alone, model)
            if self.recipe.optimizer.ema is not None:
                last = min(-(-_STATISTICS // self.recipe.batch_size), self.budget.steps_per_epoch)
                estimate_statistics(self.alone, batches(**self._stream(model), last_step=last))
        found = self.validate(self.alone, self.teacher_of_held_out)
        display.pause(time.monotonic() - started)
        line = {
            "epoch": epoch,
            "step": state.step,
            "loss": state.epoch_loss,
            "learning_rate": float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)),
            **found,
            "images_per_second": display.images_per_second,
        }
        measure = self.recipe.best_by
        if found[measure] > max((past.get(measure, -1.0) for past in state.history), default=-1.0):
            state.best_epoch, state.best_accuracy = epoch, found["held_out_accuracy"]
            self.folder.keep_best(self.alone)
        state.history.append(line)
        self._checkpoint(state.as_dict())
        self.folder.write_log(state.history)
        if self.telemetry:
            self.telemetry.epoch(line)
        self.console.print(
            f"epoch {epoch}/{self.budget.epochs}  {display.figures(line)}  held-out verification "
            f"{found['held_out_accuracy']:.2%} ± {found['held_out_accuracy_std']:.2%}  AUC {found['held_out_auc']:.4f}"
            + (f"  cosine to the teacher {found[_TO_TEACHER]:.4f}" if _TO_TEACHER in found else ""),
            soft_wrap=True,
        )

    def _not_finite(self, model, loss, first, last):
        first, last = self.state.step + first, self.state.step + last
        report, faces = self.folder.not_finite, self.faces.training
        rate = float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))
        if self.chief:
            span = {"first": first, "last": last}
            write_suspects(report, self.recipe, faces, self.sampler, loss=loss, learning_rate=rate, **span)
        raise KerasfaceError(
            f"the loss became {loss} at step {last + 1}; the batch's files are in {report}, and the newest good "
            f"checkpoint is {self.folder.checkpoints.newest_finite() or 'none'}. Look at the files; else lower "
            "optimizer.learning_rate, head.margin or head.scale, or set optimizer.clip_norm, and run again with "
            "another --out."
        )

    def _finish(self, display):
        state, best = self.state, self.folder.best
        result = TrainingResult(
            name=self.recipe.name,
            finished=state.step >= self.budget.last_step,
            epochs=len(state.history),
            steps=state.step,
            identities=self.faces.people,
            images=len(self.faces.training),
            best_epoch=state.best_epoch,
            held_out_accuracy=state.best_accuracy if state.best_epoch else None,
            images_per_second=self._images_per_second(display),
            wall_seconds=state.wall_seconds_so_far(),
            history=tuple(state.history),
            model_path=str(best) if state.best_epoch else None,
        )
        if state.best_epoch:  # a stopped run's best model can be used as well
            write_outcome(self.recipe, self.faces.held_out, best, self.folder.path)
        if self.telemetry:
            self.telemetry.close(keras.saving.load_model(best) if state.best_epoch else None, self.faces.held_out)
        if self.chief:
            self.folder.write_result(result)
        agreed(self.strategy, True)  # a process that left earlier would count as lost
        return result

    def _images_per_second(self, display):
        if display.step > display.first_step or not self.state.history:
            return display.images_per_second
        return self.state.history[-1]["images_per_second"]  # a run that was resumed with nothing left to do

    def _validates_what_it_trains(self):
        return self.recipe.precision == "float32" and self.recipe.optimizer.ema is None

    def _in_float32(self):
        return build_model(self.recipe, self.faces.people, precision="float32")

    def _resume_into(self, model):
        variables = [*model.weights, *model.optimizer.variables]
        if self.chief:
            saved, state = self.folder.checkpoints.newest(warn=self.console.print)
            self.state = self.state.resumed(state)
            with self.strategy.scope():  # on every replica
                for ours, theirs in zip(variables, [*saved.weights, *saved.optimizer.variables], strict=True):
                    ours.assign(theirs)
            self.console.print(f"resuming at step {self.state.step} of {self.budget.last_step}")
        with self.strategy.scope():
            # In a process that isn't the chief's the state is empty.
            random = self.state.random or random_state(model)
            numbers = tf.Variable([self.state.step, *random], dtype=tf.int64)
        follow_chief(self.strategy, [*variables, numbers])
        self.state.step, *random = numbers.numpy().tolist()
        with self.strategy.scope():
            set_random_state(model, random)

    def _checkpoint(self, state):
        with saved_as_local(self.checkpointed):
            self.folder.checkpoints.write(self.checkpointed, {**state, "random": random_state(self.checkpointed)})

    def _checkpoint_inside(self, model, last, display):
        # An epoch's last step gets its checkpoint after validation (one from before would skip it when resumed), and a
        # step that a signal made the last gets it when `fit` has returned.
        if display.step < last and not model.stop_training:
            now = {"step": display.step, "epoch_loss": self._mean_loss(display)}
            self._checkpoint({**self.state.as_dict(), **now})

    def _mean_loss(self, display):
        return self.state.mean_loss(display.step, display.loss, self.budget.steps_per_epoch)
