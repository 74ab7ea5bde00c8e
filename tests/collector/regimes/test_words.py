"""Every code of an answer has a name in both languages."""

from typing import get_args

import pytest

from collector.regimes import Regime
from collector.regimes.obligations import State
from collector.regimes.words import RECIPIENTS, STATES, cited


def test_every_state_has_a_name() -> None:
    assert set(STATES) == set(get_args(State))


def test_every_recipient_of_the_shipped_law_has_a_name(law: tuple[Regime, ...]) -> None:
    named = {
        recipient
        for regime in law
        for stage in regime.stages
        for way in (stage, *stage.routes)
        for recipient in way.recipients
    }

    assert named <= set(RECIPIENTS)
    assert {"provincial_cac", "national_cac", "own_cac_office", "superior"} <= set(RECIPIENTS)


@pytest.mark.parametrize(
    ("source", "chinese"),
    [
        ("Art. 7", "第7条"),
        ("Art. 23 (4)", "第23条第4款"),
        ("Art. 4 para. 2", "第4条第2款"),
        ("annex, 特别重大", "附件《网络安全事件分级指南》特别重大"),
        ("reg. 11 (secondary source)", "reg. 11（二手资料）"),
        (
            "annex, 较大 (consultation draft of 2023-12-08)",
            "附件《网络安全事件分级指南》较大（2023-12-08 征求意见稿）",
        ),
        ("Delegated Regulation (EU) 2025/301", "Delegated Regulation (EU) 2025/301"),
        ("6 U.S.C. 681b", "6 U.S.C. 681b"),
    ],
)
def test_a_source_is_cited_as_a_chinese_office_does(source: str, chinese: str) -> None:
    assert cited(source, "zh") == chinese
    assert cited(source, "en") == source
