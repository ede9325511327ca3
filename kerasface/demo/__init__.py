"""The demo: the whole way from faces to a device on synthetic identities, in one command."""

__all__ = ["DemoResult", "run_demo"]


# Lazy (PEP 562): `kerasface.demo.device` runs where TensorFlow must not be imported.
def __getattr__(name):
    if name in __all__:
        from kerasface.demo import run

        return getattr(run, name)
    raise AttributeError(f"module 'kerasface.demo' has no attribute {name!r}")
