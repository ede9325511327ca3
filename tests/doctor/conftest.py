from tests.cli.conftest import kerasface  # noqa: F401
