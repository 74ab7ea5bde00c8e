"""The play: who is started when, what is waited for, and when it is over."""

import asyncio
import json
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from ...errors import FengsuiError, PermanentError
from .proof import OBLIGATIONS, RUN_STEPS, STEPS, Step, find, select
from .receiver import Receiver
from .stage import DISTRICT, Stage
from .tell import Teller
from .troupe import Troupe

LIMIT_SECONDS = 60.0
_LOOK_SECONDS = 0.1
_BEFORE_TAMPERING = "exits_reported"
_STOPS = (signal.SIGINT, signal.SIGTERM)


class Theatre:
    """Plays the demo once on a stage."""

    def __init__(self, stage: Stage, teller: Teller) -> None:
        self._stage = stage
        self._teller = teller
        self._troupe = Troupe(stage.folder / "logs")
        self._receiver = Receiver(
            lambda person, subject: teller.say(
                f"{'':21}通知 {person}: {subject}", f"{'':21}notice to {person}: {subject}"
            )
        )
        self._began = datetime.now(UTC)  # noqa: TID251 - the demo's own clock
        self._steps: list[dict[str, Any]] = []
        self._stopped = ""
        self._played = False

    async def play(self, *, stay: bool) -> tuple[list[dict[str, Any]], str | None]:
        """Play it; with `stay` the consoles stay up until Ctrl-C or SIGTERM.

        Both are heard even where a shell started this in the background, with SIGINT ignored; whatever ends
        the play, the children end with it.

        Returns:
            The steps with `name`, `at` and `seconds` since the start, and what went wrong, if anything.
        """
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        for number in _STOPS:
            loop.add_signal_handler(number, self._stop, task, number)
        try:
            return self._steps, await self._play(stay=stay)
        except asyncio.CancelledError:
            if task is None or not self._stopped:
                raise
            task.uncancel()
            return self._steps, None if self._played else f"{self._stopped} before the receipt had come back"
        finally:
            await self._troupe.end()
            await self._receiver.stop()
            for number in _STOPS:
                loop.remove_signal_handler(number)

    def _stop(self, task: "asyncio.Task[Any] | None", number: signal.Signals) -> None:
        """Cancel the play, once: a second signal must not cut short how the children are ended."""
        if task and not self._stopped:
            self._stopped = f"stopped by {number.name}"
            task.cancel()

    async def _play(self, *, stay: bool) -> str | None:
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                await self._act()
        except TimeoutError:
            return self._late()
        except (FengsuiError, OSError) as error:
            return str(error)
        self._played = True
        if stay:
            await self._stay()
        return None

    async def _act(self) -> None:
        self._teller.say(f"演示目录 {self._stage.folder}", f"demo folder {self._stage.folder}")
        self._stage.build(await self._receiver.start())
        await self._raise_collectors()
        await self._enrol_agent()
        for step in STEPS:
            await self._show(step)
            if step.name == _BEFORE_TAMPERING:
                await self._until(self._baseline_kept)
                self._teller.say("现在篡改主页……", "now the home page is tampered …")
                self._stage.tamper()

    async def _raise_collectors(self) -> None:
        await self._start_collector("city")
        token = await self._token("city", "collector")
        await self._troupe.ask(
            "fengsui-collector",
            "join",
            "--config",
            self._file("district"),
            "--superior",
            self._agents_url("city"),
            "--token",
            token,
        )
        await self._start_collector("district")

    async def _start_collector(self, name: str) -> None:
        await self._troupe.start(name, "fengsui-collector", "run", "--config", self._file(name))
        await self._until((self._stage.state(name) / "ports.json").exists)

    async def _enrol_agent(self) -> None:
        token = await self._token("district", "agent")
        await self._troupe.ask(
            "fengsui-agent",
            "enrol",
            "--config",
            self._file("agent"),
            "--collector",
            self._agents_url("district"),
            "--token",
            token,
        )
        await self._troupe.start("agent", "fengsui-agent", "run", "--config", self._file("agent"))

    async def _token(self, collector: str, kind: str) -> str:
        said = await self._troupe.ask(
            "fengsui-collector",
            "token",
            "create",
            "--config",
            self._file(collector),
            "--unit",
            DISTRICT,
            "--kind",
            kind,
            "--json",
        )
        return str(json.loads(said)["token"])

    async def _show(self, step: Step) -> None:
        proof = await self._until(partial(find, self._stage.database("district"), step))
        seconds = round((proof.at - self._began).total_seconds(), 3)
        self._steps.append({"name": step.name, "at": proof.at.isoformat(), "seconds": seconds})
        self._teller.step(step.name, proof, seconds)
        self._show_more(step.name)

    def _show_more(self, name: str) -> None:
        district = self._stage.database("district")
        if name == "obligations_opened":
            self._teller.obligations(select(district, OBLIGATIONS))
        if name == "receipt_received":
            run = next(iter(select(district, STEPS[8].query)), None)
            self._teller.run_steps(select(district, RUN_STEPS, run["id"]) if run else [])

    def _baseline_kept(self) -> bool:
        """Whether the agent knows the page as it should be; what is changed before that is no change."""
        kept = self._stage.agent_state.glob("files/*.sqlite3")
        return any(select(database, "SELECT 1 FROM entry LIMIT 1") for database in kept)

    async def _until(self, look: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever was looked for
        while not (found := look()):
            self._troupe.check()
            await asyncio.sleep(_LOOK_SECONDS)
        return found

    async def _stay(self) -> None:
        for name in ("district", "city"):
            ports = self._ports(name)
            address = f"http://127.0.0.1:{ports['console']}/"
            password = self._stage.state(name) / "admin-password"
            self._teller.say(
                f"控制台 {name}: {address}  账号 admin,密码见 {password}",
                f"console {name}: {address}  user admin, password in {password}",
            )
        self._teller.say("Ctrl-C 结束。", "Ctrl-C ends it.")
        await self._until(lambda: False)

    def _late(self) -> str:
        missing = STEPS[len(self._steps)].name if len(self._steps) < len(STEPS) else "-"
        logs = self._stage.folder / "logs"
        return f"{missing}: not seen within {LIMIT_SECONDS:.0f} s of the start; see {logs}"

    def _file(self, name: str) -> str:
        return str(self._stage.settings(name))

    def _ports(self, name: str) -> dict[str, int]:
        try:
            ports: dict[str, int] = json.loads((self._stage.state(name) / "ports.json").read_text())
        except (OSError, ValueError) as error:
            raise PermanentError(f"{name}: its ports are not known: {error}") from None
        return ports

    def _agents_url(self, name: str) -> str:
        return f"https://127.0.0.1:{self._ports(name)['agents']}"
