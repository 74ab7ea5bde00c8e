"""The demo's child processes: started by their console scripts, watched, ended by their own ids."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from ...errors import PermanentError

_PATIENCE = 5.0
_COMMAND_SECONDS = 30.0


class Troupe:
    """Starts long-running children with a log each, and runs short commands to their end."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._players: dict[str, asyncio.subprocess.Process] = {}

    async def start(self, name: str, script: str, *words: str) -> None:
        """Start a child whose output goes to `<logs>/<name>.log`."""
        with (self._logs / f"{name}.log").open("ab") as log:
            self._players[name] = await asyncio.create_subprocess_exec(
                *_argv(script, words), stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )

    async def ask(self, script: str, *words: str) -> str:
        """Run a command and return what it printed.

        Raises:
            PermanentError: it failed; the text holds what it said.
        """
        process = await asyncio.create_subprocess_exec(
            *_argv(script, words), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        try:
            out, said = await asyncio.wait_for(process.communicate(), _COMMAND_SECONDS)
        except TimeoutError:
            raise PermanentError(
                f"{script} {' '.join(words)}: no answer within {_COMMAND_SECONDS:.0f} s"
            ) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise PermanentError(
                f"{script} {' '.join(words)}: exit {process.returncode}: {said.decode().strip()}"
            )
        return out.decode()

    def check(self) -> None:
        """See that everybody is still on the stage.

        Raises:
            PermanentError: a child has ended; the text names its log.
        """
        for name, process in self._players.items():
            if process.returncode is not None:
                log = self._logs / f"{name}.log"
                last = log.read_text(errors="replace").strip().splitlines()[-5:]
                raise PermanentError(
                    f"{name} ended with exit {process.returncode}; {log}: " + " / ".join(last)
                )

    async def end(self) -> None:
        """Ask one child after the other to stop, the last started first, and insist after a while.

        An agent has last words; where the collector ends at the same time, it waits for an answer in vain.
        """
        for process in reversed(self._players.values()):
            if process.returncode is None:
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _PATIENCE)
            except TimeoutError:
                process.kill()
                await process.wait()


def _argv(script: str, words: Sequence[str]) -> list[str]:
    """Return the console script beside this interpreter, or the module where there are no scripts."""
    beside = Path(sys.executable).parent / script
    if beside.exists():
        return [str(beside), *words]
    return [sys.executable, "-m", script.removeprefix("fengsui-"), *words]
