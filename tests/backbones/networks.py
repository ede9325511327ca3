"""Every architecture as small as it gets, for tests that build, train or convert."""

import keras

SIZE, DIMENSION = 32, 16
_COMMON = {"input_shape": (SIZE, SIZE, 3), "embedding_dim": DIMENSION}

# A label for the test's id: registered name and arguments.
SMALL = {
    "ghostfacenetv1": ("ghostfacenetv1", {**_COMMON, "width": 0.25}),
    "ghostfacenetv2": ("ghostfacenetv2", {**_COMMON, "width": 0.25}),
    "iresnet18": ("iresnet18", _COMMON),
    "iresnet18-se": ("iresnet18", {**_COMMON, "squeeze_excitation": True, "dropout": 0.1}),
    "mbf": ("mbf", _COMMON),
    "micro": ("micro", _COMMON),
    "mobilefacenet": ("mobilefacenet", {**_COMMON, "width": 0.125}),
    "spherefacenet": ("spherefacenet", {"input_shape": (SIZE, 24, 3), "depth": 10, "embedding_dim": DIMENSION}),
    "vit_tiny": ("vit_tiny", {**_COMMON, "depth": 1}),
}


def settle(model, images):
    """Gives every batch norm the statistics of these images, as training would."""
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    usual = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = 0.0
    model(images, training=True)
    for layer, momentum in zip(norms, usual, strict=True):
        layer.momentum = momentum
