from tests.heads.conftest import float64

__all__ = ["float64"]
