from tests.cli.conftest import fetched_assets, kerasface  # noqa: F401
