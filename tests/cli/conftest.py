from tests.trained import planted, runs

__all__ = ["planted", "runs"]
