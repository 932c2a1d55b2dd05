"""The type checker that the suite switches on over attendna (see conftest.py)."""

from collections.abc import Callable
from typing import Any, Self

from beartype import BeartypeConf, BeartypeHintOverrides, beartype

# The import hook decorates methods one by one; `Self` has a meaning only to a decorated class.
_CONFIGURATION = BeartypeConf(hint_overrides=BeartypeHintOverrides({Self: Any}))


def check(function: Callable[..., Any]) -> Callable[..., Any]:
    """Enforce the annotations of ``function`` at every call."""
    return beartype(function, conf=_CONFIGURATION)
