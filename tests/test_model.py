"""FaceModel: trains through fit, embeds through predict, and comes back from its files as it was."""

import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest

from kerasface import FaceModel, heads
from kerasface.backbones import MobileFaceNet
from kerasface.heads import Annealing, ArcFace, ASoftmax, Softmax
from kerasface.losses import CenterLoss, Triplet
from kerasface.training import CoupledSGD

SIZE, DIMENSION, PEOPLE = 12, 6, 4


def small_backbone(seed=0, *, norm=True):
    keras.utils.set_random_seed(seed)
    x = images = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Conv2D(8, 3, strides=2, padding="same")(x)
    x = keras.layers.BatchNormalization(momentum=0.5)(x) if norm else x
    x = keras.layers.PReLU(shared_axes=[1, 2])(x)
    x = keras.layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(x)
    return keras.Model(images, keras.layers.Dense(DIMENSION)(keras.layers.Flatten()(x)))


def compiled(model, *, graph=True):
    """Graphs take seconds to build: tests that are not about fit itself run without."""
    model.compile(CoupledSGD(0.05, momentum=0.9), run_eagerly=not graph)
    return model


def embed(model, images):
    return np.asarray(model(images, training=False))


def weights(model):
    return [np.asarray(weight) for weight in model.weights]


def assert_same_weights(first, second):
    assert len(first.weights) == len(second.weights)
    for one, other in zip(weights(first), weights(second), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def faces():
    """Four people, each a pattern of their own under noise: uint8 (32, 12, 12, 3) and int labels (32,)."""
    rng = np.random.default_rng(11)
    labels = np.tile(np.arange(PEOPLE), 8)
    patterns = rng.integers(40, 216, (PEOPLE, SIZE, SIZE, 3))
    return np.clip(patterns[labels] + rng.normal(0, 20, (32, SIZE, SIZE, 3)), 0, 255).astype(np.uint8), labels


def test_fit_lowers_the_loss(faces):
    images, labels = faces
    model = compiled(FaceModel(small_backbone(), ArcFace(PEOPLE)))
    history = model.fit(images, labels, batch_size=16, epochs=10, verbose=0).history["loss"]
    assert history[-1] < 0.3 * history[0]
    # The nearest other face is of the same person: it has learned faces, not just its prototypes.
    unit = keras.utils.normalize(model.predict(images, verbose=0))
    cosines = unit @ unit.T - 2 * np.eye(len(unit))
    assert (labels[cosines.argmax(axis=1)] == labels).mean() > 0.9


@pytest.mark.slow
def test_mobilefacenet_trains(rng):
    images = rng.integers(0, 256, (16, 32, 32, 3), dtype=np.uint8)
    labels = np.arange(16) % PEOPLE
    keras.utils.set_random_seed(1)
    backbone = MobileFaceNet(input_shape=(32, 32, 3), width=0.25, embedding_dim=16)
    model = compiled(FaceModel(backbone, ArcFace(PEOPLE, scale=16.0, margin=0.2)), graph=False)
    history = model.fit(images, labels, batch_size=16, epochs=5, verbose=0).history["loss"]
    assert history[-1] < 0.7 * history[0]


def linear_backbone(kernel):
    """Flatten and a matrix: embeddings that can be written down by hand."""
    backbone = keras.Sequential([keras.Input((2, 2, 3)), keras.layers.Flatten(), keras.layers.Dense(4)])
    backbone.layers[-1].set_weights([kernel, np.zeros(4)])
    return backbone


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.int64])
def test_preprocessing_is_inside(dtype, rng):
    kernel = rng.normal(size=(12, 4))
    model = FaceModel(linear_backbone(kernel), ArcFace(3), mean=100.0, std=50.0)
    images = rng.integers(0, 256, (5, 2, 2, 3)).astype(dtype)
    expected = (images.reshape(5, 12).astype(np.float64) - 100.0) / 50.0 @ kernel
    np.testing.assert_allclose(model.predict(images, verbose=0), expected, rtol=1e-5, atol=1e-5)


def test_embeddings_do_not_depend_on_the_head(faces):
    images, _ = faces
    expected = FaceModel(small_backbone(), ArcFace(PEOPLE)).predict(images, verbose=0)
    assert expected.shape == (32, DIMENSION)
    found = FaceModel(small_backbone(), Softmax(99)).predict(images, verbose=0)
    np.testing.assert_array_equal(found, expected)
    assert (abs(np.linalg.norm(expected, axis=1) - 1) > 1e-3).any()  # raw, not normalised


def test_evaluate_is_the_heads_mean_loss_and_leaves_the_annealing(faces):
    images, labels = faces
    head = ASoftmax(PEOPLE, margin=2, annealing=Annealing(base=10.0, minimum=1.0))
    model = compiled(FaceModel(small_backbone(), head), graph=False)
    model.fit(images, labels, batch_size=16, epochs=1, verbose=0)
    assert int(head.iteration) == 2
    before = float(head.annealing_lambda)
    found = model.evaluate(images, labels, batch_size=len(images), verbose=0)
    assert (int(head.iteration), float(head.annealing_lambda)) == (2, before)
    expected = np.mean(np.asarray(head.loss(embed(model, images), labels)))
    assert found == pytest.approx(expected, rel=1e-5)


def test_sample_weights_scale_each_samples_loss(faces):
    images, labels = faces
    model = compiled(FaceModel(small_backbone(), ArcFace(PEOPLE, scale=8.0)), graph=False)
    emphasis = np.linspace(0, 2, len(images)).astype(np.float32)
    losses = np.asarray(model.head.loss(embed(model, images), labels))
    found = model.evaluate(images, labels, sample_weight=emphasis, batch_size=len(images), verbose=0)
    assert found == pytest.approx(np.mean(losses * emphasis), rel=1e-5)


def test_a_weightless_sample_teaches_nothing(faces):
    images, labels = faces
    half = np.arange(len(images)) < 16
    weighted, reference = (
        compiled(FaceModel(small_backbone(norm=False), ArcFace(PEOPLE)), graph=False) for _ in range(2)
    )
    weighted.fit(images, labels, sample_weight=2.0 * half, batch_size=32, shuffle=False, verbose=0)
    reference.fit(images[half], labels[half], batch_size=16, shuffle=False, verbose=0)
    for one, other in zip(weights(weighted), weights(reference), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_the_backbones_regularisers_count(faces):
    images, labels = faces
    model = compiled(FaceModel(small_backbone(), ArcFace(PEOPLE)), graph=False)
    loss = model.evaluate(images, labels, batch_size=32, verbose=0)
    kernel = model.backbone.layers[-1].kernel
    kernel.regularizer = keras.regularizers.L2(0.5)
    found = model.evaluate(images, labels, batch_size=32, verbose=0)
    assert found == pytest.approx(loss + 0.5 * np.sum(np.asarray(kernel) ** 2), rel=1e-5)


def test_a_saved_model_goes_on_where_it_stopped(faces, tmp_path):
    images, labels = faces
    head = ASoftmax(PEOPLE, margin=4, annealing=Annealing(base=100.0, minimum=5.0))
    model = compiled(FaceModel(small_backbone(), head, mean=120.0, std=60.0, name="of_its_own"))
    model.fit(images, labels, batch_size=16, epochs=2, shuffle=False, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")

    assert (type(again), again.name, again.mean, again.std) == (FaceModel, "of_its_own", 120.0, 60.0)
    assert_same_weights(again, model)
    np.testing.assert_array_equal(embed(again, images), embed(model, images))
    assert int(again.head.iteration) == 4
    assert float(again.head.annealing_lambda) == pytest.approx(100.0 / (1 + 0.12 * 4), rel=1e-6)
    assert int(again.optimizer.iterations) == 4

    for one in (model, again):
        one.fit(images, labels, batch_size=16, epochs=1, shuffle=False, verbose=0)
    assert_same_weights(again, model)  # momentum and λ went on, too
    assert int(again.head.iteration) == 6


def test_weights_alone_come_back(faces, tmp_path):
    images, labels = faces
    model = compiled(FaceModel(small_backbone(), ASoftmax(PEOPLE)), graph=False)
    model.fit(images, labels, batch_size=16, epochs=1, verbose=0)
    model.save_weights(tmp_path / "model.weights.h5")
    other = FaceModel(small_backbone(seed=9), ASoftmax(PEOPLE))
    other.load_weights(tmp_path / "model.weights.h5")
    assert_same_weights(other, model)
    assert int(other.head.iteration) == 2
    np.testing.assert_array_equal(embed(other, images), embed(model, images))


@pytest.fixture
def mixed_float16():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy(before)


def test_trains_in_half_precision(mixed_float16, faces, tmp_path):
    images, labels = faces
    model = compiled(FaceModel(small_backbone(), ArcFace(PEOPLE)))
    assert keras.backend.standardize_dtype(model(images).dtype) == "float16"
    loss = model.compute_loss(y=labels, y_pred=model(images), training=False)
    assert keras.backend.standardize_dtype(loss.dtype) == "float32"
    history = model.fit(images, labels, batch_size=16, epochs=10, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    assert history[-1] < 0.3 * history[0]

    model.save(tmp_path / "half.keras")
    keras.config.set_dtype_policy("float32")
    again = keras.saving.load_model(tmp_path / "half.keras")
    assert again.dtype_policy.name == "mixed_float16"
    np.testing.assert_array_equal(embed(again, images), embed(model, images))


@pytest.mark.parametrize(
    "backbone",
    [
        lambda: keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(4)]),
        lambda: keras.Sequential([keras.Input((SIZE, SIZE, 3)), keras.layers.Conv2D(4, 3)]),
    ],
)
def test_a_backbone_must_be_built_and_give_vectors(backbone):
    with pytest.raises(ValueError, match="backbone must be built and give embeddings .* Received: output_shape="):
        FaceModel(backbone(), ArcFace(PEOPLE))


def test_a_backbone_that_gives_a_list_is_refused():
    backbone = small_backbone()
    with pytest.raises(ValueError, match=r"not a list of one.* keras\.Model\(old\.inputs\[0\], old\.outputs\[0\]\)"):
        FaceModel(keras.Model(backbone.inputs, backbone.outputs), ArcFace(PEOPLE))


def test_parts_that_are_not_built_are_refused():
    with pytest.raises(TypeError, match=r"backbone must be built already, as backbones\.get\('mobilefacenet'\) does"):
        FaceModel("mobilefacenet", ArcFace(PEOPLE))
    for head in ("arcface", ArcFace):
        with pytest.raises(
            TypeError, match=r"head must be built already, as heads\.get\('arcface', num_classes=…\) does"
        ):
            FaceModel(small_backbone(), head)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda labels: np.eye(PEOPLE)[labels], ValueError, r"numpy\.argmax\(labels, axis=1\).*shape=\(32, 4\)"),
        (lambda labels: labels[:, None], ValueError, r"labels\[:, 0\].*shape=\(32, 1\)"),
        (lambda labels: labels.astype(np.float32), TypeError, r"labels\.astype\('int32'\)"),
        (lambda labels: labels + 1, ValueError, r"num_classes is 4 .* label 4.*rows 3, 7, 11"),
        (lambda labels: (labels + 1).tolist(), ValueError, r"num_classes is 4 .* label 4.*rows 3, 7, 11"),
        (lambda labels: None, ValueError, "labels are missing"),
    ],
    ids=["one-hot", "column", "float", "from 1", "list from 1", "none"],
)
def test_fit_looks_at_labels_before_the_first_step(change, error, words, faces):
    images, labels = faces
    model = compiled(FaceModel(small_backbone(), ArcFace(PEOPLE)))
    with pytest.raises(error, match=words):
        model.fit(images, change(labels), verbose=0)


def test_labels_may_be_a_list(faces):
    images, labels = faces
    model = compiled(FaceModel(small_backbone(), ArcFace(PEOPLE)))
    assert np.isfinite(model.fit(images, labels.tolist(), verbose=0).history["loss"]).all()


def test_images_that_were_divided_already_are_told(faces):
    images, labels = faces
    model = compiled(FaceModel(small_backbone(), ArcFace(PEOPLE)), graph=False)
    for divided in (images / 255.0, images / 127.5 - 1.0):
        with pytest.warns(UserWarning, match="takes pixels as they are, 0…255"):
            model.fit(divided, labels, verbose=0)
        with pytest.warns(UserWarning, match="takes pixels as they are, 0…255"):
            model.predict(divided, verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model.predict(images.astype(np.float32), verbose=0)
        FaceModel(small_backbone(), mean=0.5, std=0.5).predict(images / 255.0, verbose=0)


def test_a_saved_model_loads_where_only_facemodel_was_imported(tmp_path):
    model = FaceModel(MobileFaceNet(width=0.125, input_shape=(32, 32, 3), embedding_dim=8), ArcFace(PEOPLE))
    model.save(tmp_path / "model.keras")
    code = (
        "import sys, keras; from kerasface import FaceModel; "
        "print(keras.saving.load_model(sys.argv[1]).head.num_classes)"
    )
    process = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "model.keras"], capture_output=True, text=True, check=False
    )
    assert process.stdout.strip() == str(PEOPLE), process.stderr


def test_a_teacher_and_a_head_add_up_and_a_photo_of_nobody_has_no_label(faces, rng):
    images, labels = faces[0][:4], np.array([2, -1, 0, -1], np.int32)
    backbone, head, targets = small_backbone(), ArcFace(PEOPLE), rng.normal(size=(4, DIMENSION)).astype(np.float32)
    model = FaceModel(backbone, head, teacher_weight=3.0)
    embeddings = embed(model, images)
    cosines = np.sum(embeddings * targets, 1) / np.linalg.norm(embeddings, axis=1) / np.linalg.norm(targets, axis=1)
    expected = np.mean(head.loss(embeddings[[0, 2]], labels[[0, 2]])) + 3.0 * np.mean(1 - cosines)
    y = {"label": keras.ops.convert_to_tensor(labels), "teacher": keras.ops.convert_to_tensor(targets)}
    found = model.compute_loss(y=y, y_pred=keras.ops.convert_to_tensor(embeddings), training=False)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)
    nobody = {**y, "label": keras.ops.full((4,), -1, "int32")}
    found = model.compute_loss(y=nobody, y_pred=keras.ops.convert_to_tensor(embeddings), training=False)
    assert float(found) == pytest.approx(3.0 * np.mean(1 - cosines), rel=1e-5)
    twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(model))
    assert twin.teacher_weight == 3.0


def test_labels_and_teacher_must_fit_the_model(faces):
    embeddings, labels = keras.ops.ones((2, DIMENSION)), keras.ops.convert_to_tensor([0, 1])
    both = {"label": labels, "teacher": embeddings}
    distilled = FaceModel(small_backbone(), teacher_weight=1.0)
    with pytest.raises(ValueError, match="plain labels"):
        distilled.compute_loss(y=labels, y_pred=embeddings)
    with pytest.raises(ValueError, match="same embedding_dim"):
        distilled.compute_loss(y={**both, "teacher": embeddings[:, :3]}, y_pred=embeddings)
    without = FaceModel(small_backbone(), ArcFace(PEOPLE))
    with pytest.raises(ValueError, match="plain labels"):
        without.compute_loss(y=both, y_pred=embeddings)
    with pytest.raises(ValueError, match="nothing to learn from"):
        FaceModel(small_backbone()).compute_loss(y=labels, y_pred=embeddings)


def test_a_model_without_anything_to_learn_from_embeds_and_saves(faces, tmp_path):
    backbone, images = small_backbone(), faces[0][:3]
    mean, std = [10.0, 20.0, 30.0], [100.0, 110.0, 120.0]
    model = FaceModel(backbone, mean=mean, std=std, color_order="bgr")
    expected = np.asarray(backbone((images[..., ::-1] - np.array(mean)) / np.array(std)))
    np.testing.assert_allclose(embed(model, images), expected, rtol=1e-4, atol=1e-5)
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        embed(keras.saving.load_model(tmp_path / "model.keras"), images), embed(model, images)
    )


def test_preprocessing_is_checked():
    backbone = small_backbone()
    with pytest.raises(ValueError, match="color_order='grb'"):
        FaceModel(backbone, color_order="grb")
    with pytest.raises(ValueError, match=r"three, one a channel. Received: std=\(1, 2\)"):
        FaceModel(backbone, std=(1, 2))


def test_auxiliary_losses_join_the_head_and_come_back(faces, tmp_path):
    images, labels = faces
    head, center, triplet = Softmax(PEOPLE), CenterLoss(PEOPLE), Triplet()
    model = compiled(FaceModel(small_backbone(), head, auxiliary=[(center, 0.5), (triplet, 2.0)]))
    embeddings = embed(model, images)
    parts = [float(np.mean(part.loss(embeddings, labels))) for part in (head, center, triplet)]
    found = model.compute_loss(
        y=keras.ops.convert_to_tensor(labels), y_pred=keras.ops.convert_to_tensor(embeddings), training=False
    )
    assert float(found) == pytest.approx(parts[0] + 0.5 * parts[1] + 2.0 * parts[2], rel=1e-5)
    model.fit(images, labels, batch_size=16, epochs=2, verbose=0)
    assert np.any(np.asarray(center.centers))  # the centres move in fit
    model.save(tmp_path / "model.keras")
    twin = keras.saving.load_model(tmp_path / "model.keras")
    assert_same_weights(model, twin)
    assert twin.auxiliary_weights == [0.5, 2.0]


def test_a_triplet_loss_trains_alone_but_not_beside_a_teacher(faces):
    images, labels = faces
    model = compiled(FaceModel(small_backbone(), auxiliary=[(Triplet(), 1.0)]))
    losses = model.fit(images, labels, batch_size=32, epochs=6, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    backbone = small_backbone()
    with pytest.raises(ValueError, match="identities"):
        FaceModel(backbone, auxiliary=[(Triplet(), 1.0)], teacher_weight=1.0)


def test_keras_losses_and_metrics_of_embeddings_are_refused():
    model = FaceModel(small_backbone(), heads.get("cosface", num_classes=4))
    for given in ({"loss": "mse"}, {"metrics": ["accuracy"]}):
        with pytest.raises(ValueError, match="FaceModel's loss is its head's"):
            model.compile("sgd", **given)
