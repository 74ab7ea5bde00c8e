"""Kills a process by its own hand at the n-th of its steps, as a power cut would find it there.

Nothing of this is in the product: the child replaces functions of the standard library, at which every step
that changes the disk passes, by ones that count, and sends itself SIGKILL before the n-th call.
"""

import os
import shutil
import signal
from collections.abc import Callable, Sequence
from typing import Any

DISK = ((os, "fsync"), (os, "rename"), (os, "replace"), (os, "unlink"), (shutil, "rmtree"))
CHANGES = DISK[1:]


def count_and_die(n: int, steps: Sequence[tuple[Any, str]]) -> None:
    """From now on this process dies before its n-th step."""
    left = n

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever the function takes and gives
            nonlocal left
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **options)

        return step

    for owner, name in steps:
        setattr(owner, name, dying(getattr(owner, name)))


def cut(n: int, work: Callable[[], object], steps: Sequence[tuple[Any, str]] = DISK) -> bool:
    """Do `work` in a child that dies before its n-th step; False: it came to its end before that."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            count_and_die(n, steps)
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the work failed by itself; see what it printed"
    return False
