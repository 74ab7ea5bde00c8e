"""Every code of an answer has a name in both languages."""

from typing import get_args

from collector.regimes import Regime
from collector.regimes.obligations import State
from collector.regimes.words import RECIPIENTS, STATES


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
