"""What every deed on an incident stands on: what is in force, the incident's lock, and grading.

No method here or above opens a transaction: the caller's carries its own rows too, a cursor or a receipt.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from ..errors import PermanentError
from ..escalation import Policy, Roster
from ..regimes import Calendars, Regime
from ..registry import Registry
from ..store.incidents import lock_incident
from ..store.proofs import Proof, proofs_of
from .dossier import Cause, Dossier, load
from .grading import grade
from .texts import Jump, Outage
from .waking import Setting


class UnknownIncidentError(PermanentError):
    """There is no such incident, or no such clock."""


class Bench:
    """The rules in force and an incident in hand.

    Args:
        registry, regimes, policy: What is in force; asked at every call, so that a reload counts at once.
        rosters: By unit; likewise.
        calendars: What limits in working days count by; likewise.
        language: Of notices and of the contents of reports.
    """

    def __init__(
        self,
        *,
        registry: Callable[[], Registry],
        regimes: Callable[[], Sequence[Regime]],
        policy: Callable[[], Policy],
        rosters: Callable[[], Mapping[str, Roster]] = dict,
        calendars: Callable[[], Calendars] = Calendars,
        language: str = "zh",
    ) -> None:
        self._rosters = rosters
        self._calendars = calendars
        self._registry = registry
        self._regimes = regimes
        self._policy = policy
        self._language = language

    async def _grade(
        self,
        connection: AsyncConnection,
        dossier: Dossier,
        cause: Cause,
        now: datetime,
        proof: Proof | None = None,
    ) -> None:
        stored = (await proofs_of(connection, [dossier.incident.id])).get(dossier.incident.id, [])
        proofs = [one for one in stored if proof is None or one.id != proof.id]
        proofs += [proof] if proof else []
        grade(dossier, proofs, self._regimes(), setting=self._setting(), cause=cause, now=now)

    async def _locked(self, connection: AsyncConnection, incident: str) -> Dossier:
        held = await lock_incident(connection, incident)
        if held is None:
            raise UnknownIncidentError(f"incident {incident}: there is none")
        return (await load(connection, [held]))[0]

    def _setting(self, outage: Outage | None = None, jumps: Sequence[Jump] = ()) -> Setting:
        return Setting(
            registry=self._registry(),
            policy=self._policy(),
            rosters=self._rosters(),
            calendars=self._calendars(),
            language=self._language,
            outage=outage,
            jumps=tuple(jumps),
        )
