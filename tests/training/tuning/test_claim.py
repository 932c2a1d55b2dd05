import subprocess
import sys
from pathlib import Path

from attendna.training.tuning.claim import Claim

HOLD = """
import sys
from pathlib import Path
from attendna.training.tuning.claim import Claim
held = Claim.take(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_claim_is_of_one_process_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "claims" / "search-0001"
    first = Claim.take(path)
    assert first is not None
    assert Claim.take(path) is None
    first.release()
    again = Claim.take(path)
    assert again is not None
    again.release()


def test_a_claim_ends_with_its_process_however_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "claim"
    words = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        assert Claim.take(path) is None
        process.kill()
        process.wait()
    claim = Claim.take(path)
    assert claim is not None
    claim.release()
