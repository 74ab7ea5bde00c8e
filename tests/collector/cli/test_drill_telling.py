"""What `drill` prints for people, in both languages."""

import pytest

from collector.cli.drill_telling import Teller
from collector.drills import prove, score
from collector.drills.script import Limits
from collector.registry import read_registry
from tests.collector.drills.test_score import course, minutes, owing
from tests.collector.drills.test_yearly import UNITS, day
from tests.collector.ingest.tower import REGISTRY
from tests.collector.store.test_drills import a_drill


@pytest.mark.parametrize(("language", "late", "state"), [("zh", "超时", "已计划"), ("en", "late", "planned")])
def test_a_drill_and_its_sheet_are_told(
    capsys: pytest.CaptureFixture[str], language: str, late: str, state: str
) -> None:
    teller = Teller(language, json=False)
    teller.drill(a_drill(), "已列入计划", "is in the plan")
    teller.sheet(score([course(16, 20)], [owing(60, 30)], [], Limits(), minutes(90)))
    out = capsys.readouterr().out

    assert late in out
    assert state in out
    assert "00:16:00 / 00:15:00" in out


@pytest.mark.parametrize(("language", "said"), [("zh", "本年度尚未开展"), ("en", "no drill was held")])
def test_what_a_unit_lacks_is_told(capsys: pytest.CaptureFixture[str], language: str, said: str) -> None:
    registry = read_registry(REGISTRY, "registry.yaml")
    Teller(language, json=False).proofs(prove(UNITS, [], 2026, day(2026, 3)), registry)

    assert said in capsys.readouterr().out
