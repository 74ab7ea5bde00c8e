from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from agent.enrolment import load_identity

if TYPE_CHECKING:
    from pathlib import Path

    from tests.agent.conftest import FarSide


async def agent(*words: str, told: str = "") -> tuple[int | None, str, str]:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "agent",
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await child.communicate(told.encode())
    return child.returncode, out.decode(), err.decode()


async def test_one_command_enrols_a_node_with_the_assets_of_its_settings(
    far_side: FarSide, tmp_path: Path
) -> None:
    settings = tmp_path / "agent.yaml"
    settings.write_text(f"state_dir: {tmp_path}/state\nassets: [{{id: portal}}]\n")
    token = far_side.authority.token("https://elsewhere.invalid")

    words = (
        "enrol",
        "--collector",
        far_side.url,
        "--token",
        token,
        "--config",
        str(settings),
        "--lang",
        "zh",
    )
    code, out, err = await agent(*words)

    assert (code, err) == (0, "")
    assert "已登记：节点 node-1" in out
    assert far_side.requests[0].assets == ["portal"]
    assert load_identity(tmp_path / "state").node == "node-1"


async def test_a_second_enrolment_has_to_be_meant(far_side: FarSide, tmp_path: Path) -> None:
    token = far_side.authority.token(far_side.url)
    words = ("enrol", "--token", "-", "--state-dir", str(tmp_path / "state"), "--lang", "en")
    assert (await agent(*words, told=token))[0] == 0

    code, _, err = await agent(*words, told=token)
    assert code == 1
    assert "--again" in err

    assert (await agent(*words, "--again", told=token))[0] == 0
    assert len(far_side.requests) == 2


async def test_what_goes_wrong_is_one_sentence_and_no_trace(tmp_path: Path) -> None:
    code, out, err = await agent("enrol", "--token", "nonsense", "--state-dir", str(tmp_path), "--lang", "en")

    assert (code, out) == (1, "")
    assert err.startswith("the token can't be read")
    assert len(err.splitlines()) == 1
