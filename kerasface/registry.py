"""Names to classes: `heads.get("arcface", ...)` and the recipes find what they build here."""

import inspect

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
        """Returns a decorator that files a class, or a function that builds one's model, with what the name settles."""

        def decorate(cls):
            earlier, _ = self._classes.get(name, (cls, None))
            # The same class anew is a notebook's cell that was run again.
            if (earlier.__module__, earlier.__qualname__) != (cls.__module__, cls.__qualname__):
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
            ValueError: no such name or argument; the message lists those there are. Or one that the name settles.
        """
        if name not in self._classes:
            raise ValueError(f"unknown {self.kind}; expected one of {', '.join(self.names())}. Received: name={name!r}")
        cls, settled = self._classes[name]
        if settled.keys() & arguments.keys():
            raise ValueError(f"{name} has {settled}: leave that out. Received: {arguments}")
        try:
            return cls(**settled, **arguments)
        except (TypeError, ValueError) as error:
            ours, keras_own = _defaults(cls)
            unknown = sorted(arguments.keys() - ours.keys() - keras_own.keys())
            if not unknown:
                raise
            taken = ", ".join(sorted(ours.keys() - settled.keys()))
            raise ValueError(f"{name} takes {taken}. Received: {', '.join(unknown)}") from error

    def defaults(self, name, /):
        """Returns what `get` takes for `name` beside Keras' own: argument to default, None where there is none."""
        cls, settled = self._classes[name]
        return {key: default for key, default in _defaults(cls)[0].items() if key not in settled}


def _defaults(cls):
    """What a class' constructor takes, its own and its bases', as far as they hand on the rest; and what Keras' do."""
    ours, keras_own = {}, {}
    for base in cls.__mro__ if inspect.isclass(cls) else (cls,):
        if inspect.isclass(base) and "__init__" not in vars(base):
            continue
        takes = base.__init__ if inspect.isclass(base) else base  # a function that builds a network
        parameters = inspect.signature(takes).parameters.values()
        for one in parameters:
            if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY) and one.name != "self":
                taken = keras_own if base.__module__.startswith("keras.") else ours
                taken.setdefault(one.name, None if one.default is one.empty else one.default)
        if not any(one.kind is one.VAR_KEYWORD for one in parameters):
            break
    return ours, keras_own
