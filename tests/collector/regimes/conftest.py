"""A city's portal in Tianjin, and the shipped law."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeAlias

import pytest

from collector import shipped
from collector.regimes import Regime, explain, load_regimes, read_case

Described: TypeAlias = dict[str, Any]
Ask: TypeAlias = Callable[..., Described]


def merged(below: Described, above: Described) -> Described:
    """`above` laid over `below`; `...` takes a field away, as if it had never been told."""
    result = laid(below, above)
    return {
        name: merged(value, {}) if isinstance(value, dict) else value
        for name, value in result.items()
        if value is not ...
    }


def laid(*parts: Described) -> Described:
    """Each part laid over those before it."""
    result: Described = {}
    for part in parts:
        result = _over(result, part)
    return result


def _over(below: Described, above: Described) -> Described:
    result = dict(below)
    for name, value in above.items():
        if isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = _over(result[name], value)
        else:
            result[name] = value
    return result


@pytest.fixture(scope="session")
def law() -> tuple[Regime, ...]:
    return load_regimes(shipped.configs_dir() / "regimes")


@pytest.fixture(scope="session")
def described() -> Described:
    """Everything but the harm is known; the facts are the test's."""
    return {
        "unit": {
            "kind": "local_government",
            "level": "prefecture",
            "region": "CN-12",
            "sector": "government",
            "timezone": "Asia/Shanghai",
        },
        "asset": {"role": "portal", "mlps_grade": 3, "cii": False, "zone": "internet", "classified": False},
        "incident": {
            "kind": "incident",
            "class": "NAWEBMOD",
            "crime_suspected": False,
            "times": {"aware": "2026-03-02T09:10:00+08:00"},
            "facts": {},
        },
    }


@pytest.fixture(scope="session")
def ask(law: tuple[Regime, ...], described: Described) -> Ask:
    """Explain the described incident with what a test lays over it, at a time."""

    def answer(above: Described, at: str = "2026-03-02T10:00:00+08:00", language: str = "en") -> Described:
        case = read_case(json.dumps(merged(described, above)), "case.yaml")
        said = explain(case, law, datetime.fromisoformat(at), language=language)
        document: Described = json.loads(said.to_json())
        return document

    return answer


def obligations(answer: Described, regime: str = "") -> Described:
    """The obligations of an answer by id."""
    return {item["id"]: item for item in answer["obligations"] if item["regime"].startswith(regime)}


def applies(answer: Described, regime: str) -> Any:  # noqa: ANN401 - true, false or "unknown"
    """Whether a regime applies."""
    return next(looked["applies"] for looked in answer["regimes"] if looked["id"] == regime)


def filed(*filings: Described) -> Described:
    return {"incident": {"filings": list(filings)}}


def filing(obligation: str, at: str, receipt_at: str | None = None, **more: object) -> Described:
    told: Described = {"obligation": obligation, "at": at, **more}
    return told if receipt_at is None else {**told, "receipt_at": receipt_at}
