"""Consoles on which names of the user's are text: no markup, and no codes that a terminal obeys."""

from typing import Any

from rich.console import Console
from rich.text import Text

from attendna.core.errors import printable


class PlainConsole(Console):
    """A rich console that shows text as it is; what is to be bold has a style."""

    def __init__(self, *, stderr: bool = False, quiet: bool = False) -> None:
        super().__init__(stderr=stderr, quiet=quiet, highlight=False, markup=False, emoji=False)

    def render_str(self, text: str, **settings: Any) -> Text:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Text of a line, a cell or a heading."""
        return super().render_str(printable(text), **settings)
