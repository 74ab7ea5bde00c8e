"""`fengsui-collector token list`: what it shows is what `token revoke` takes."""

import json
from pathlib import Path

import pytest

from collector.cli import main
from tests.collector.cli.test_token import config

__all__ = ["config"]


def made(config: str, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["token", "create", "--config", config, *words]) == 0
    return capsys.readouterr().out.strip()


def test_it_names_what_lets_somebody_in_and_no_secret(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = [
        made(config, capsys, "--unit", "city", "--uses", "2"),
        made(config, capsys, "--api", "metrics"),
    ]
    assert main(["token", "list", "--config", config, "--json"]) == 0
    out, _ = capsys.readouterr()
    first, second = json.loads(out)["tokens"]

    assert (first["purpose"], first["unit"], first["uses_left"]) == ("enrolment", "city", 2)
    assert (second["purpose"], second["role"], second["state"]) == ("api", "metrics", "usable")
    assert [secret for secret in secrets if secret in out] == []

    revoke = ["token", "revoke", second["id"], "--reason", "leaked", "--config", config, "--json"]
    assert main(revoke) == 0
    assert json.loads(capsys.readouterr().out)["id"] == second["id"]
    assert main(["token", "list", "--config", config, "--json"]) == 0
    assert [one["id"] for one in json.loads(capsys.readouterr().out)["tokens"]] == [first["id"]]
    assert main(["token", "list", "--all", "--config", config]) == 0
    assert f"{second['id']}  api metrics" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("language", "words", "nothing"),
    [
        ("en", "enrolment city (agent), 1 left", "no token is in use"),
        ("zh", "接入 city(agent),剩 1 次", "没有在用令牌"),
    ],
)
def test_it_speaks_both_languages(
    config: str, language: str, words: str, nothing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(config).parent / "state").mkdir(mode=0o700)
    assert main(["token", "list", "--config", config, "--lang", language]) == 0
    assert nothing in capsys.readouterr().err
    made(config, capsys, "--unit", "city")
    assert main(["token", "list", "--config", config, "--lang", language]) == 0
    assert words in capsys.readouterr().out
