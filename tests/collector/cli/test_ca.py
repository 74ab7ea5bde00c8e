"""The authority's command."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from collector.cli import main
from collector.store import nodes
from collector.store.engine import Store
from collector.store.facts import Fact, put_heartbeats
from collector.trust.ca import Authority
from tests.collector.cli.test_node import NODE, NOW
from tests.collector.ingest.tower import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncConnection

CONFIG = "configs/collector.yaml"


def test_the_three_steps_replace_the_authority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FENGSUI_STATE_DIR", str(tmp_path))
    now = datetime.now(UTC)  # noqa: TID251 - certificates of the test are of now
    old = Authority.at(tmp_path, "city", now).certificate

    codes = [
        main(["ca", step, "--config", CONFIG, "--lang", "en"]) for step in ("rotate", "switch", "retire")
    ]

    assert codes == [0, 0, 0]
    assert Authority.at(tmp_path, "city", now).certificate != old
    assert "nodes trust it from their next contact on" in capsys.readouterr().err


def test_a_step_out_of_order_ends_with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FENGSUI_STATE_DIR", str(tmp_path))
    Authority.at(tmp_path, "city", datetime.now(UTC))  # noqa: TID251 - as above

    assert main(["ca", "switch", "--config", CONFIG]) == 1
    assert "ca rotate" in capsys.readouterr().err


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A collector's settings, with one node enrolled that was never heard of."""
    (tmp_path / "registry.yaml").write_text(REGISTRY)
    text = "unit: city\nregistry: registry.yaml\nstate_dir: state\nlanguage: en\n"
    (tmp_path / "collector.yaml").write_text(text)
    (tmp_path / "state").mkdir()
    Authority.at(tmp_path / "state", "city", datetime.now(UTC))  # noqa: TID251 - as above
    asyncio.run(write(tmp_path, lambda connection: nodes.add_node(connection, NODE)))
    return str(tmp_path / "collector.yaml")


async def write(folder: Path, work: Callable[[AsyncConnection], Awaitable[None]]) -> None:
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'state/state.db'}")
    await store.run(work)
    await store.close()


def say(folder: Path, authorities: str) -> None:
    """Let the node say what it trusts."""
    beat = Fact(kind="heartbeat", body={"authorities": authorities}, observed_at=NOW, received_at=NOW)
    asyncio.run(write(folder, lambda connection: put_heartbeats(connection, {"n1": beat})))


def test_the_old_authority_is_not_retired_while_a_node_would_be_locked_out(
    tmp_path: Path, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for step in ("rotate", "switch"):
        assert main(["ca", step, "--config", config]) == 0
    capsys.readouterr()
    assert main(["ca", "status", "--config", config, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["step"], told["nodes"], [one["host_name"] for one in told["behind"]]) == (
        "switched",
        1,
        ["web-1"],
    )

    assert main(["ca", "retire", "--config", config]) == 1
    assert "1 nodes have not renewed yet and could not come in any more: web-1" in capsys.readouterr().err
    say(tmp_path, told["authorities"])
    assert main(["ca", "status", "--config", config]) == 0
    assert "all 1 nodes trust what is to be trusted" in capsys.readouterr().out
    assert main(["ca", "retire", "--config", config]) == 0


def test_a_node_that_is_lost_can_be_locked_out_by_word(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for step in ("rotate", "switch"):
        main(["ca", step, "--config", config])
    assert main(["ca", "status", "--config", config, "--lang", "zh"]) == 0
    assert "尚未信任现行 CA" in capsys.readouterr().out
    assert main(["ca", "retire", "--config", config, "--anyway"]) == 0
