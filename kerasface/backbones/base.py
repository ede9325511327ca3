"""What every architecture has: an input of a size that it takes, and a config that rebuilds it."""

import keras

__all__ = ["Backbone", "image_input"]


class Backbone(keras.Model):
    """A functional network that is saved by the arguments that built it, not layer by layer.

    Args:
        images: its `keras.Input`.
        embeddings: (N, D) output.
        name: of the model.
        dtype: dtype policy of its layers, as the architecture got it.
        **arguments: the architecture's other arguments.
    """

    def __init__(self, images, embeddings, *, name, dtype, **arguments):
        super().__init__(images, embeddings, name=name)
        policy = keras.saving.serialize_keras_object(keras.dtype_policies.get(dtype))
        self._arguments = {**arguments, "name": name, "dtype": policy}

    def get_config(self):
        """Returns the arguments that rebuild this model."""
        return dict(self._arguments)


def image_input(input_shape, *, least, multiple=1):
    """Returns the `keras.Input` of an architecture, or says which sizes it takes.

    Args:
        input_shape: (height, width, channels) in pixels.
        least: the smallest height and width, where the last feature map is a pixel.
        multiple: height and width must be multiples of it.

    Raises:
        ValueError: another shape.
    """
    shape = tuple(input_shape)
    whole = len(shape) == 3 and all(isinstance(size, int) and size > 0 for size in shape)
    if not whole or min(shape[:2]) < least or any(size % multiple for size in shape[:2]):
        sizes = f"at least {least}" + (f" and multiples of {multiple}" if multiple > 1 else "")
        raise ValueError(
            f"input_shape must be (height, width, channels) in pixels, height and width {sizes}. "
            f"Received: input_shape={input_shape}"
        )
    return keras.Input(shape, name="images")
