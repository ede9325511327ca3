"""Names to classes: `heads.get("arcface", ...)` and the recipes find what they build here."""

import keras

__all__ = ["Registry"]


class Registry:
    """Classes by lower-case name, registered with Keras so that saved files find them again.

    Args:
        kind: what the registry holds, for error messages: "head", "backbone".

    Example:
        >>> heads = Registry("head")
        >>> @heads.register("cosface")
        ... class CosFace(MarginHead): ...
        >>> heads.get("cosface", num_classes=10)
    """

    def __init__(self, kind):
        self.kind = kind
        self._classes = {}

    def register(self, name, /, **settled):
        """Returns a class decorator that files the class under `name`, with the arguments that the name settles."""

        def decorate(cls):
            if name in self._classes:
                raise ValueError(f"a {self.kind} named {name!r} exists already. Received: {cls.__name__}")
            self._classes[name] = cls, settled
            return keras.saving.register_keras_serializable(package="kerasface")(cls)

        return decorate

    def names(self):
        """Returns the sorted names."""
        return sorted(self._classes)

    # Positional, so that a class may have an argument `name` of its own: every Keras layer has.
    def get(self, name, /, **arguments):
        """Builds the class registered as `name` with `arguments`.

        Raises:
            ValueError: no such name; the message lists those there are. Or an argument that the name settles.
        """
        if name not in self._classes:
            raise ValueError(f"unknown {self.kind}; expected one of {', '.join(self.names())}. Received: name={name!r}")
        cls, settled = self._classes[name]
        if settled.keys() & arguments.keys():
            raise ValueError(f"{name} has {settled}: leave that out. Received: {arguments}")
        return cls(**settled, **arguments)
