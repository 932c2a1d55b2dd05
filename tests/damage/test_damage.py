"""A few damaged files of every kind; ``python -m tests.damage`` reads thousands."""

from pathlib import Path

import pytest
from tests.damage.campaign import HARM, damaged, digest, judge
from tests.damage.kinds import KINDS

TRAINED = [name for name, kind in KINDS.items() if kind.trained]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n in TRAINED else n for n in KINDS]
)
def test_damaged_files_are_refused_or_read(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTENDNA_CACHE", str(tmp_path / "cache"))
    kind = KINDS[name]
    (tmp_path / "files").mkdir()
    path = kind.make(tmp_path / "files")
    content = path.read_bytes()
    whole = digest(kind.read(path))
    for number in range(12):
        changed, cut = damaged(kind, content, 0, number)
        outcome, told = judge(kind, path, changed, whole, cut=cut)
        assert outcome not in HARM, f"file {number}: {outcome} {told}"
        assert "\n" not in told
