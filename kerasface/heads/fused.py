"""Softmax cross-entropy over prototypes without ever holding more of the (B, C) logits than asked for."""

from keras import ops

from kerasface.heads.autodiff import slope
from kerasface.heads.geometry import SHORTEST, entries
from kerasface.heads.rows import unfilled, write_rows
from kerasface.heads.sharding import is_sharded

__all__ = ["log_sum", "softmax_loss"]

# Classes that the backward pass takes at a time when the forward pass took all of them at once: large enough for the
# matrix products, small beside 85,742.
_BLOCK = 4096
# A logit that counts for nothing; an infinite one would make ∞ − ∞ in a block that holds no other.
_NOTHING = -1e30


def softmax_loss(features, prototypes, target, target_slope, *, labels, adjust=None, chunk_size=None):
    """−log softmax of the target's logit among the logits of the other classes.

    The others' logits are features · P̂_j with P̂_j = P_j / ‖P_j‖, sent through `adjust` where a head changes them. The
    target's comes from outside, where the margin was applied to B numbers. One custom gradient holds the three matrix
    products and little else: autodiff would keep several (B, C) tensors and the normalised prototypes, and project
    their gradient in yet another (C, D).

    Args:
        features: (B, D), unit embeddings times what multiplies cosines.
        prototypes: (C, D), or (C, k, D) of which the nearest counts; any length.
        target: (B,) logits of the true classes; gradients to the embedding flow through them. NaN makes a NaN loss.
        target_slope: (B,), how fast the target's value changes with cos θ_y: the gradient by P_y, which does *not* flow
            through `target`, so that it never becomes a second (C, D).
        labels: (B,) int32 in [0, C).
        adjust: None, or a function of the others' logits (B, n) that works entry by entry.
        chunk_size: None: one (B, C) tensor is alive. n: classes are taken n at a time with an online log-sum-exp, and
            computed again in the backward pass; (B, n) is the largest tensor. Where prototypes are sharded a device
            takes all of its own at once, whatever is said here.

    Returns:
        (B,) losses.

    Reference:
        Milakov & Gimelshein, Online normalizer calculation for softmax, 2018, algorithm 3.
    """
    num_classes, centers = prototypes.shape[0], _centers(prototypes)
    chunk_size = None if is_sharded() else chunk_size

    @ops.custom_gradient
    def losses(features, rows, target, target_slope):
        classes = _Classes(features, rows, centers, labels, adjust)
        exponentials = None
        if chunk_size is None:
            logits = classes.block(0, num_classes).logits(target)
            highest = ops.max(logits, axis=-1)
            exponentials = ops.exp(logits - highest[:, None])
            total = ops.sum(exponentials, axis=-1)
        else:
            highest, total = _online(classes, target, chunk_size)
        log_sum = highest + ops.log(total)
        # The backward pass of these needs more of a block than its exponentials: they are computed again.
        if adjust is not None or centers > 1:
            exponentials = None

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            # d loss / d logit = share · (weight − 1 at the target): the B shares multiply (B, D) instead of (B, n).
            share = upstream if exponentials is None else upstream / total
            sure = ops.exp(target - log_sum) - 1.0
            by_target = sure * upstream
            turned = share[:, None] * features
            own = target_slope * (sure if exponentials is None else sure * total)

            def step(start, size, sums):
                by_features, by_rows = sums
                block = classes.block(start, size)
                if exponentials is None:
                    weights = ops.exp(block.logits(target) - log_sum[:, None])
                else:
                    weights = ops.slice(exponentials, (0, start), (ops.shape(target)[0], size))
                weights = block.with_target(block.by_rows(weights), ops.zeros_like(target))
                by_features = by_features + ops.matmul(weights, block.rows)
                weights = block.with_target(weights, own * block.target_inverse())
                gradient = block.tangential(ops.matmul(ops.transpose(weights), turned))
                return by_features, write_rows(by_rows, start * centers, gradient)

            sums = ops.zeros_like(features), unfilled(rows.shape, rows.dtype)
            by_features, by_rows = _over_blocks(num_classes, chunk_size or _block(num_classes), step, sums)
            return share[:, None] * by_features, by_rows, by_target, ops.zeros_like(target_slope)

        return log_sum - target, gradient

    return losses(features, _flat(prototypes), target, target_slope)


def log_sum(features, prototypes, *, labels, chunk_size=None):
    """log Σ_{j≠y} exp(features · P̂_j), (B,), without a gradient; arguments as in `softmax_loss`."""
    features, prototypes = ops.stop_gradient(features), ops.stop_gradient(prototypes)
    classes = _Classes(features, _flat(prototypes), _centers(prototypes), labels, None)
    nothing = ops.full_like(features[:, 0], _NOTHING)
    whole = chunk_size is None or is_sharded()
    highest, total = _online(classes, nothing, prototypes.shape[0] if whole else chunk_size)
    return highest + ops.log(total)


def _block(rows):
    # A block cut out of sharded rows would first be gathered from all devices.
    return rows if is_sharded() else _BLOCK


def _centers(prototypes):
    return prototypes.shape[1] if len(prototypes.shape) == 3 else 1


def _flat(prototypes):
    """(C · k, D); also what makes a plain tensor of a variable without copying it."""
    return ops.reshape(prototypes, (-1, prototypes.shape[-1]))


def _inverse_lengths(rows):
    """1 / ‖P_j‖, (C · k,), and 0 for a row without a direction; in blocks, because squares are as large as the rows."""

    def step(start, size, inverse):
        squares = ops.sum(ops.square(ops.slice(rows, (start, 0), (size, rows.shape[-1]))), axis=-1)
        long_enough = ops.logical_not(squares <= SHORTEST**2)
        safe = ops.where(long_enough, squares, ops.ones_like(squares))
        return write_rows(inverse, start, ops.where(long_enough, ops.rsqrt(safe), ops.zeros_like(safe)))

    return _over_blocks(rows.shape[0], _block(rows.shape[0]), step, unfilled(rows.shape[:1], rows.dtype))


class _Classes:
    """What a block of classes is cut from."""

    def __init__(self, features, rows, centers, labels, adjust):
        self.features, self.rows, self.centers, self.labels, self.adjust = features, rows, centers, labels, adjust
        self.num_classes = rows.shape[0] // centers
        self.inverse = _inverse_lengths(rows)

    def block(self, start, size):
        return _Block(self, start, size)


class _Block:
    """Classes start … start + size − 1: their rows, and what the passes need of their logits, computed when asked."""

    def __init__(self, classes, start, size):
        self.classes, self.size = classes, size
        first, count = start * classes.centers, size * classes.centers
        self.rows = ops.slice(classes.rows, (first, 0), (count, classes.rows.shape[-1]))
        self.inverse = ops.slice(classes.inverse, (first,), (count,))
        self.inside = (classes.labels >= start) & (classes.labels < start + size)
        self.column = ops.clip(classes.labels - start, 0, size - 1)

    def logits(self, target):
        """(B, size) adjusted logits, the target's in its column."""
        plain = ops.matmul(self.classes.features, ops.transpose(self.rows)) * self.inverse
        if self.classes.centers > 1:
            self._every = ops.reshape(plain, (-1, self.size, self.classes.centers))
            plain = ops.max(self._every, axis=-1)
        self._plain = plain
        logits = plain if self.classes.adjust is None else self.classes.adjust(plain)
        return self._placed(logits, self.column, target)

    def by_rows(self, weights):
        """d loss / d logits (B, size) to d loss / d (features · P_j) (B, size · k)."""
        if self.classes.adjust is not None:
            weights = weights * slope(self.classes.adjust, self._plain)
        if self.classes.centers == 1:
            self._target_row = self.column
            return weights * self.inverse
        nearest = ops.argmax(self._every, axis=-1)
        chosen = ops.cast(ops.arange(self.classes.centers) == nearest[..., None], weights.dtype)
        self._target_row = self.column * self.classes.centers + entries(ops.cast(nearest, "int32"), self.column)
        return ops.reshape(weights[..., None] * chosen, (-1, self.size * self.classes.centers)) * self.inverse

    def with_target(self, weights, value):
        """`weights` with `value` at the target's nearest row; as they are where the target is in another block."""
        return self._placed(weights, self._target_row, value)

    def target_inverse(self):
        """1 / ‖P_y‖, (B,); anything where the target is in another block."""
        return ops.take(self.inverse, self._target_row, axis=0)

    def tangential(self, gradient):
        """The part of each row's gradient that turns the row: scaling a prototype changes nothing."""
        along = ops.sum(self.rows * gradient, axis=-1) * ops.square(self.inverse)
        return gradient - self.rows * along[:, None]

    def _placed(self, matrix, columns, values):
        values = ops.where(self.inside, values, entries(matrix, columns))
        rows = ops.arange(ops.shape(columns)[0], dtype="int32")
        return ops.scatter_update(matrix, ops.stack([rows, ops.cast(columns, "int32")], axis=1), values)


def _online(classes, target, chunk_size):
    """Highest logit and sum of exponentials below it, each (B,), block after block."""

    def step(start, size, sums):
        highest, total = sums
        logits = classes.block(start, size).logits(target)
        higher = ops.maximum(highest, ops.max(logits, axis=-1))
        return higher, total * ops.exp(highest - higher) + ops.sum(ops.exp(logits - higher[:, None]), axis=-1)

    sums = ops.full_like(target, _NOTHING), ops.zeros_like(target)
    return _over_blocks(classes.num_classes, chunk_size, step, sums)


def _over_blocks(count, size, step, sums):
    """sums = step(start, size, sums) over [0, count); the last block is smaller where `size` doesn't divide `count`."""
    whole = count // size
    if whole == 1:
        sums = step(0, size, sums)
    elif whole > 1:
        sums = ops.fori_loop(0, whole, lambda index, sums: step(index * size, size, sums), sums)
    return step(whole * size, count % size, sums) if count % size else sums
