"""The clock of the benchmarks."""

import time
from collections.abc import Callable, Mapping


def fastest(
    functions: Mapping[str, Callable[[], object]],
    rounds: int = 7,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Seconds of the fastest call of each function.

    They take turns, so that a disturbance of the machine meets all of them alike. Give
    ``time.thread_time`` as the clock for work of one thread: other processes then do not count.
    """
    seconds = dict.fromkeys(functions, float("inf"))
    for function in functions.values():
        function()
    for _ in range(rounds):
        for name, function in functions.items():
            start = clock()
            function()
            seconds[name] = min(seconds[name], clock() - start)
    return seconds
