"""PartialFC: the right classes, the head's own loss over them, and steps that leave the other rows alone."""

import keras
import numpy as np
import pytest

from kerasface import heads
from kerasface.heads import ArcFace, CosFace, PartialFC, Softmax
from tests.heads.autodiff import losses_and_gradients

CLASSES, DIM, BATCH = 40, 6, 8


class Training:
    """A layer whose `loss` is the training one, for `losses_and_gradients`."""

    def __init__(self, layer):
        self.loss = lambda x, labels: layer.loss(x, labels, training=True)
        self.built, self.trainable_weights = layer.built, layer.trainable_weights


def array(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def batch(rng):
    return rng.normal(size=(BATCH, DIM)).astype(np.float32), rng.integers(0, CLASSES, BATCH)


def ready(head, **options):
    layer = PartialFC(head, **options)
    layer.build((None, DIM))
    rng = np.random.default_rng(3)
    for weight in head.trainable_weights:
        weight.assign(rng.normal(size=weight.shape))
    return layer


def drawn(layer, labels):
    """The classes that the next step will draw."""
    layer.iteration.assign_add(1)
    classes, place = (array(part) for part in layer.sample(keras.ops.convert_to_tensor(labels)))
    layer.iteration.assign_add(-1)
    return classes, place


def test_draws_the_batchs_classes_and_others_without_repeating(rng):
    layer, counts = ready(ArcFace(CLASSES), rate=0.3), np.zeros(CLASSES)
    for _ in range(1000):
        _, labels = batch(rng)
        layer.iteration.assign_add(1)
        classes, place = (array(part) for part in layer.sample(keras.ops.convert_to_tensor(labels)))
        assert len(classes) == 12
        assert len(set(classes)) == 12
        np.testing.assert_array_equal(classes[place], labels)
        counts[np.setdiff1d(classes, labels)] += 1
    # Some 116 times each: all others are as likely.
    assert counts.min() > 0.7 * counts.mean()
    assert counts.max() < 1.3 * counts.mean()


@pytest.mark.parametrize("name", heads.names())
def test_equals_the_head_over_the_drawn_rows(name, rng):
    x, labels = batch(rng)
    layer = ready(heads.get(name, num_classes=CLASSES), rate=0.5)
    classes, place = drawn(layer, labels)
    small = heads.get(name, num_classes=len(classes))
    small.build((None, DIM))
    for ours, theirs in zip(layer.head.class_weights, small.class_weights, strict=True):
        theirs.assign(array(ours)[classes])
    for ours, theirs in zip(layer.head.weights, small.weights, strict=True):
        if ours.shape == theirs.shape:
            theirs.assign(ours)
    expected = array(small.loss(x, place, training=True))
    np.testing.assert_allclose(array(layer.loss(x, labels, training=True)), expected, rtol=1e-4, atol=1e-4)


def test_the_gradient_of_rows_that_were_not_drawn_is_zero(rng):
    x, labels = batch(rng)
    layer = ready(CosFace(CLASSES), rate=0.3)
    classes, _ = drawn(layer, labels)
    by_prototypes = losses_and_gradients(Training(layer), x, labels)[2][0]
    others = np.setdiff1d(np.arange(CLASSES), classes)
    assert not by_prototypes[others].any()
    assert (np.abs(by_prototypes[classes]).sum(axis=1) > 0).all()


def test_without_training_all_classes_count(rng):
    x, labels = batch(rng)
    layer = ready(CosFace(CLASSES), rate=0.3)
    np.testing.assert_array_equal(array(layer.loss(x, labels)), array(layer.head.loss(x, labels)))
    np.testing.assert_array_equal(array(layer(x, labels)), array(layer.head(x, labels)))


def test_a_label_out_of_range_is_refused_or_nan(rng):
    layer = ready(CosFace(CLASSES), rate=0.3)
    x, labels = batch(rng)
    labels[1] = CLASSES
    with pytest.raises(ValueError, match="label 40"):
        layer.loss(x, labels, training=True)
    assert array(layer.sample(keras.ops.convert_to_tensor(labels))[1])[1] == -1


def test_more_rows_than_drawn_classes_are_refused(rng):
    layer = ready(CosFace(CLASSES), rate=0.1)
    with pytest.raises(ValueError, match="Raise rate to 0.2"):
        layer.loss(*batch(rng), training=True)
    with pytest.raises(ValueError, match="rate must lie"):
        PartialFC(CosFace(4), rate=0.0)


def test_config_and_draws_come_back(rng, tmp_path):
    layer = ready(Softmax(CLASSES), rate=0.3, seed=5)
    x, labels = batch(rng)
    for _ in range(3):
        layer.loss(x, labels, training=True)
    twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert twin.get_config() == layer.get_config()
    if not twin.built:
        twin.build((None, DIM))
    for ours, theirs in zip(layer.weights, twin.weights, strict=True):
        theirs.assign(ours)
    for _ in range(3):
        np.testing.assert_array_equal(drawn(layer, labels)[0], drawn(twin, labels)[0])
        ours, theirs = (array(each.loss(x, labels, training=True)) for each in (layer, twin))
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="row gradients are TensorFlow's")
@pytest.mark.parametrize("options", [{}, {"momentum": 0.0}, {"nesterov": True}], ids=["momentum", "plain", "nesterov"])
def test_a_step_changes_the_drawn_rows_alone_as_a_dense_one_would(options, rng):
    import tensorflow as tf

    from kerasface.training import CoupledSGD

    x, labels = batch(rng)
    layer = ready(CosFace(CLASSES), rate=0.3)
    prototypes = layer.head.prototypes
    optimizer = CoupledSGD(0.1, coupled_decay=0.01, **options)
    optimizer.build([prototypes])
    expected, momentum = array(prototypes).copy(), np.zeros((CLASSES, DIM))
    rate, kept = 0.1, options.get("momentum", 0.9)
    for _ in range(4):
        classes, _ = drawn(layer, labels)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer.loss(x, labels, training=True))
        gradient = tape.gradient(loss, prototypes.value)
        assert isinstance(gradient, tf.IndexedSlices)
        assert len(gradient.values) == len(classes)
        full = tf.convert_to_tensor(gradient).numpy() + 0.01 * expected
        step = -rate * full[classes]
        momentum[classes] = kept * momentum[classes] + step
        expected[classes] += kept * momentum[classes] + step if options.get("nesterov") else momentum[classes]
        optimizer.apply([gradient], [prototypes])
        np.testing.assert_allclose(array(prototypes), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="row gradients are TensorFlow's")
def test_fit_keeps_the_rows_gradient_sparse(rng):
    from kerasface import FaceModel
    from kerasface.training import CoupledSGD

    images, labels = rng.integers(0, 256, (32, 4, 4, 3), dtype=np.uint8), np.arange(32) % 5
    inputs = keras.Input((4, 4, 3))
    backbone = keras.Model(inputs, keras.layers.Dense(DIM)(keras.layers.Flatten()(inputs)))
    layer = PartialFC(CosFace(1000, scale=8.0), rate=0.02)
    model = FaceModel(backbone, layer)
    before = array(layer.head.prototypes).copy()
    model.compile(CoupledSGD(0.05, coupled_decay=0.1))
    model.fit(images, labels, batch_size=16, epochs=2, verbose=0)
    changed = np.flatnonzero(np.any(array(layer.head.prototypes) != before, axis=1))
    assert set(range(5)) <= set(changed)
    assert len(changed) <= 4 * 20  # four steps of twenty classes: with decay a dense update would move all 1,000
