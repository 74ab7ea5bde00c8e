"""An agent's settings as tests write them, and what the far side has of its reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from agent.outbox import Bounds
from agent.settings import Settings
from agent.sources import SourcesSettings
from agent.sources.logs.logins import LoginsSettings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.agent.conftest import FarSide


class Load:
    """The settings file of a test: what the agent reads when it looks."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(
            state_dir=str(folder),
            language="en",
            sources=SourcesSettings(logins=LoginsSettings(enabled=False)),
            outbox=Bounds(min_free_bytes=0),
        )
        self.error: Exception | None = None

    def __call__(self) -> Settings:
        if self.error:
            raise self.error
        return self.settings


def bodies(far: FarSide, kind: str) -> list[dict[str, Any]]:
    return [msgspec.json.decode(bytes(report.body)) for report in far.reports if report.kind == kind]
