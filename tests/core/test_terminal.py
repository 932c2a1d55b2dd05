"""Names that a terminal would obey, or that look like markup."""

import pytest
from rich.table import Table
from rich.text import Text

from attendna.core.errors import DataError, printable
from attendna.core.terminal import PlainConsole

NAME = "[bold]x[/] [motifs] :dna: \x1b[31mred\x07\r\u202e\x9b1m"
SHOWN = r"[bold]x[/] [motifs] :dna: \x1b[31mred\x07\r\u202e\x9b1m"


def test_what_a_terminal_would_obey_is_shown() -> None:
    assert printable(NAME) == SHOWN
    assert printable("a\tb\nc é 日本") == "a\tb\nc é 日本"
    # A name of a file that is not in the encoding of the system.
    assert printable("\udcff").encode() == rb"\udcff"
    assert str(DataError(f"{NAME}.tsv", NAME)) == f"{SHOWN}.tsv: {SHOWN}".replace(r"\r", " ")


def test_names_are_text_in_lines_and_tables(capsys: pytest.CaptureFixture[str]) -> None:
    out = PlainConsole()
    out.print(NAME, soft_wrap=True)
    table = Table(NAME, title=NAME, box=None, width=100)
    table.add_row(NAME)
    out.print(table)
    out.print(Text.assemble(("bold", "bold")))
    said = capsys.readouterr().out
    assert said.count(SHOWN) == 4
    assert "\x1b" not in said
