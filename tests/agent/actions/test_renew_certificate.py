"""A fresh key on order."""

from agent.actions.renew_certificate import RenewCertificate
from tests.agent.actions.asking import asked


def test_it_asks_for_a_renewal_and_a_dry_run_does_not() -> None:
    renewals: list[bool] = []
    action = RenewCertificate(lambda: renewals.append(True))

    assert action.carry_out(asked("renew_certificate", dry_run=True)).detail == {"would": "renew"}
    assert renewals == []
    action.carry_out(asked("renew_certificate"))
    assert renewals == [True]
