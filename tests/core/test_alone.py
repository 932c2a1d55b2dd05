"""Work in a process of its own: its result, its error, its death."""

import os
import signal

import pytest

from attendna.core.alone import ProcessDiedError, run_alone
from attendna.core.errors import ConfigError


def of_this_process(number: int) -> tuple[int, int]:
    return os.getpid(), number + 1


def refuse(text: str) -> None:
    raise ConfigError(text, "mend it")


def die(code: int) -> None:
    if code < 0:
        os.kill(os.getpid(), -code)
    os._exit(code)


def test_the_result_comes_from_another_process() -> None:
    process, number = run_alone(of_this_process, 2)
    assert number == 3
    assert process != os.getpid()


def test_an_error_is_raised_here() -> None:
    with pytest.raises(ConfigError, match="it is wrong; mend it"):
        run_alone(refuse, "it is wrong")


@pytest.mark.parametrize(
    ("code", "killed", "said"), [(-signal.SIGKILL, True, "SIGKILL"), (3, False, "exit code 3")]
)
def test_a_death_is_told(code: int, killed: bool, said: str) -> None:
    with pytest.raises(ProcessDiedError, match=said) as caught:
        run_alone(die, int(code))
    assert caught.value.killed is killed
