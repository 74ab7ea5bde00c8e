"""A dossier as the first finding opens it, without a database."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from collector.casework.dossier import Cause, Dossier
from collector.casework.findings import new_incident
from collector.casework.grading import grade
from collector.casework.waking import Setting
from collector.store.engine import Store
from tests.collector.casework.office_desk import Desk

if TYPE_CHECKING:
    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # nine o'clock in the county


@pytest.fixture
def setting(office: "Office") -> Setting:
    return Setting(registry=office.registry, policy=office.policy, language="en")


@pytest.fixture
def opened(office: "Office", setting: Setting) -> Callable[..., Dossier]:
    """Opens and grades an incident of the office at nine o'clock."""

    def make(**changes: Any) -> Dossier:  # noqa: ANN401 - the fields of a finding
        dossier = Dossier(new_incident(office.finding(NINE, **changes), NINE, NINE))
        grade(dossier, (), office.regimes, setting=setting, cause=Cause(), now=NINE)
        return dossier

    return make


@pytest.fixture
def desk(sqlite_state: Store, office: "Office") -> Desk:
    return Desk(sqlite_state, office)
