"""Softmax cross-entropy over prototypes without ever holding more of the (B, C) logits than asked for."""

from keras import ops

from kerasface.heads.autodiff import slope
from kerasface.heads.geometry import SHORTEST, entries, unit_rows
from kerasface.heads.rows import add_to_rows, unfilled, write_rows
from kerasface.heads.sharding import is_sharded

__all__ = ["log_sum", "softmax_loss"]

# Classes taken at a time when nobody says how many: what a block needs beside its logits stays in a processor's cache,
# and the matrix products still fill it.
_BLOCK = 1024
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
        chunk_size: classes are taken n at a time, with an online log-sum-exp. None: n is chosen here, and the logits
            are kept for the backward pass, one (C, B) tensor, where it needs no more of them than their exponentials.
            n: they are computed again there, and (n, B) is the largest tensor. Where prototypes are sharded a device
            takes all of its own at once, whatever is said here.

    Returns:
        (B,) losses.

    Reference:
        Milakov & Gimelshein, Online normalizer calculation for softmax, 2018, algorithm 3.
    """
    num_classes, centers = prototypes.shape[0], _centers(prototypes)
    chunk_size = None if is_sharded() else chunk_size
    # The backward pass of other heads needs more of a block than its logits: they are computed again.
    keeps = chunk_size is None and adjust is None and centers == 1
    size = _block_size(chunk_size, num_classes)

    @ops.custom_gradient
    def losses(features, rows, target, target_slope):
        classes = _Classes(features, rows, centers, labels, adjust)
        log_sum, inverse, kept = _forward(classes, target, size, keeps)

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            # d loss / d logit = upstream · (weight − 1 at the target): the B numbers multiply (B, D) instead of (n, B).
            turned = upstream[:, None] * features

            def step(start, size, sums):
                by_features, by_rows = sums
                block = classes.block(start, size, inverse)
                logits = ops.slice(kept, (start, 0), (size, ops.shape(kept)[1])) if keeps else block.logits(target)
                weights, cosines = block.by_cosines(ops.exp(logits - log_sum), logits)
                # Scaling a prototype changes nothing: what of its gradient lies along itself is taken out.
                along = ops.matmul(weights * cosines, upstream[:, None]) * ops.square(block.inverse)[:, None]
                weights = weights * block.inverse[:, None]
                by_features = by_features + ops.matmul(ops.transpose(weights), block.rows)
                gradient = ops.matmul(weights, turned) - block.rows * along
                return by_features, write_rows(by_rows, start * centers, gradient)

            sums = ops.zeros_like(features), unfilled(rows.shape, rows.dtype)
            by_features, by_rows = _over_blocks(num_classes, size, step, sums)
            by_target = (ops.exp(target - log_sum) - 1.0) * upstream
            place, own = classes.by_own_rows(target_slope * by_target)
            by_rows = add_to_rows(by_rows, place, own)
            return upstream[:, None] * by_features, by_rows, by_target, ops.zeros_like(target_slope)

        return log_sum - target, gradient

    return losses(features, _flat(prototypes), target, target_slope)


def log_sum(features, prototypes, *, labels, chunk_size=None):
    """log Σ_{j≠y} exp(features · P̂_j), (B,), without a gradient; arguments as in `softmax_loss`."""
    features, prototypes = ops.stop_gradient(features), ops.stop_gradient(prototypes)
    classes = _Classes(features, _flat(prototypes), _centers(prototypes), labels, None)
    nothing = ops.full_like(features[:, 0], _NOTHING)
    return _forward(classes, nothing, _block_size(chunk_size, prototypes.shape[0]), False)[0]


def _block_size(chunk_size, num_classes):
    # A block cut out of sharded rows would first be gathered from all devices.
    return num_classes if is_sharded() else chunk_size or _BLOCK


def _centers(prototypes):
    return prototypes.shape[1] if len(prototypes.shape) == 3 else 1


def _flat(prototypes):
    """(C · k, D); also what makes a plain tensor of a variable without copying it."""
    return ops.reshape(prototypes, (-1, prototypes.shape[-1]))


def _forward(classes, target, size, keeps):
    """Log-sum-exp of all logits (B,), 1 / ‖P_j‖ (C · k,), and the logits (C, B) or, when not kept, nothing."""
    num_classes, batch = classes.num_classes, ops.shape(target)[0]

    def step(start, size, sums):
        highest, total, inverse, kept = sums
        block = classes.block(start, size)
        logits = block.logits(target)
        higher = ops.maximum(highest, ops.max(logits, axis=0))
        # A product with ones: TensorFlow's own sum over a long axis takes longer than the exponentials.
        ones = ops.ones((1, size), logits.dtype)
        below = ops.matmul(ones, ops.exp(logits - higher))[0]
        total = total * ops.exp(highest - higher) + below
        inverse = write_rows(inverse, start * classes.centers, block.inverse)
        return higher, total, inverse, write_rows(kept, start, logits) if keeps else kept

    kept = unfilled((num_classes, batch), target.dtype) if keeps else ops.zeros((0, 0), target.dtype)
    inverse = unfilled((num_classes * classes.centers,), target.dtype)
    sums = ops.full_like(target, _NOTHING), ops.zeros_like(target), inverse, kept
    highest, total, inverse, kept = _over_blocks(num_classes, size, step, sums)
    return highest + ops.log(total), inverse, kept


def _inverse_lengths(rows):
    """1 / ‖P_j‖, (n,), and 0 for a row without a direction."""
    squares = ops.sum(ops.square(rows), axis=-1)
    long_enough = ops.logical_not(squares <= SHORTEST**2)
    safe = ops.where(long_enough, squares, ops.ones_like(squares))
    return ops.where(long_enough, ops.rsqrt(safe), ops.zeros_like(safe))


class _Classes:
    """What a block of classes is cut from."""

    def __init__(self, features, rows, centers, labels, adjust):
        self.features, self.rows, self.centers, self.labels, self.adjust = features, rows, centers, labels, adjust
        self.num_classes = rows.shape[0] // centers
        # Turned over once: the product with each block is a quarter faster than with a transposed operand.
        self.columns = ops.transpose(features)

    def block(self, start, size, inverse=None):
        return _Block(self, start, size, inverse)

    def by_own_rows(self, slopes):
        """Place and gradient, (B,) and (B, D), of each target's row, from d loss / d (features · P̂_y), (B,)."""
        place = ops.cast(self.labels, "int32")
        if self.centers > 1:
            every = self.labels[:, None] * self.centers + ops.arange(self.centers, dtype="int32")
            unit, _ = unit_rows(ops.take(self.rows, every, axis=0))
            nearest = ops.argmax(ops.sum(unit * self.features[:, None, :], axis=-1), axis=-1)
            place = entries(every, ops.cast(nearest, "int32"))
        rows = ops.take(self.rows, place, axis=0)
        inverse = _inverse_lengths(rows)[:, None]
        unit = rows * inverse
        along = ops.sum(self.features * unit, axis=-1, keepdims=True)
        return place, slopes[:, None] * inverse * (self.features - unit * along)


class _Block:
    """Classes start … start + size − 1: their rows, and what the passes need of their logits, computed when asked.

    Classes stand in rows and samples in columns here, (n, B): a block of the logits of all classes, or of their
    prototypes, is then one piece of memory that can be read and written where it lies.
    """

    def __init__(self, classes, start, size, inverse):
        self.classes, self.size = classes, size
        first, count = start * classes.centers, size * classes.centers
        self.rows = ops.slice(classes.rows, (first, 0), (count, classes.rows.shape[-1]))
        self.inverse = _inverse_lengths(self.rows) if inverse is None else ops.slice(inverse, (first,), (count,))
        self.inside = (classes.labels >= start) & (classes.labels < start + size)
        self.place = ops.cast(ops.clip(classes.labels - start, 0, size - 1), "int32")

    def logits(self, target):
        """(size, B) adjusted logits, the target's in its row."""
        plain = ops.matmul(self.rows, self.classes.columns) * self.inverse[:, None]
        if self.classes.centers > 1:
            self._every = ops.reshape(plain, (self.size, self.classes.centers, -1))
            plain = ops.max(self._every, axis=1)
        self._plain = plain
        logits = plain if self.classes.adjust is None else self._adjusted(plain)
        return self._placed(logits, target)

    def by_cosines(self, weights, logits):
        """Of d loss / d logits, (size, B), to d loss / d (features · P̂_j), and features · P̂_j, (size · k, B).

        The target's weight is 0 there: its row is seen to outside, `_Classes.by_own_rows`.
        """
        weights = self._placed(weights, ops.zeros_like(weights[0]))
        if self.classes.adjust is None and self.classes.centers == 1:
            return weights, logits
        if self.classes.adjust is not None:
            weights = weights * slope(self._adjusted, self._plain)
        if self.classes.centers == 1:
            return weights, self._plain
        chosen = ops.arange(self.classes.centers)[:, None] == ops.argmax(self._every, axis=1)[:, None, :]
        weights = weights[:, None, :] * ops.cast(chosen, weights.dtype)
        count = self.size * self.classes.centers
        return ops.reshape(weights, (count, -1)), ops.reshape(self._every, (count, -1))

    def _adjusted(self, plain):
        # A head's hook has samples in rows.
        return ops.transpose(self.classes.adjust(ops.transpose(plain)))

    def _placed(self, matrix, values):
        """`matrix` (size, B) with `values` (B,) in the targets' rows, where they are in this block."""
        batch = ops.shape(self.place)[0]
        columns = ops.arange(batch, dtype="int32")
        held = ops.take(ops.reshape(matrix, (-1,)), self.place * batch + columns)
        places = ops.stack([self.place, columns], axis=1)
        return ops.scatter_update(matrix, places, ops.where(self.inside, values, held))


def _over_blocks(count, size, step, sums):
    """sums = step(start, size, sums) over [0, count); the last block is smaller where `size` doesn't divide `count`."""
    whole = count // size
    if whole == 1:
        sums = step(0, size, sums)
    elif whole > 1:
        sums = ops.fori_loop(0, whole, lambda index, sums: step(index * size, size, sums), sums)
    return step(whole * size, count % size, sums) if count % size else sums
