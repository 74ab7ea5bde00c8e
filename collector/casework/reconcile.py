"""Makes an incident's clocks say what the law says now (pure).

What may happen by itself: a clock opens, gets an earlier time, is met. What needs a named person with a
reason: a later time, or none any more. Where the answer is later without that, the clock stays as it is.

That one is overdue is never written here, for the time to judge at may be that of a host clock that has
jumped: it is the alarm `due` that writes it, or leaves it to a person.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace

from wire.ids import uuid7

from ..regimes import Obligation
from ..store.clocks import Clock, ClockState, clock_values
from ..store.proofs import Proof
from .alarms import moments_of
from .case import key_of
from .dossier import Cause, Dossier

_DONE = frozenset({"met", "met_late"})


def reconcile(
    dossier: Dossier, owing: Sequence[Obligation], proofs: Sequence[Proof], cause: Cause, now: datetime
) -> None:
    """Open, move and meet clocks by what is owed, with their alarms and journal entries."""
    held = {key_of(clock): clock for clock in dossier.clocks.values()}
    for owed in owing:
        clock = held.pop((owed.regime, owed.stage, owed.recipient), None)
        if clock is None:
            _open(dossier, owed, proofs, cause, now)
        else:
            _change(dossier, clock, _told(clock, owed), proofs, cause=cause, now=now)
    if cause.by_person:
        for clock in held.values():
            withdraw(dossier, clock, cause, now)


def later(old: Clock, new: Clock) -> bool:
    """Whether a change would give a running clock more time, or take its time away."""
    if old.state in _DONE or old.state == "withdrawn":
        return False
    return _slips(old.due_at, new.due_at) or (new.due_at is None and _slips(old.target_at, new.target_at))


def proof_of(clock: Clock, proofs: Iterable[Proof]) -> Proof | None:
    """Return the filing that met a clock: the earliest whose receipt is there."""
    arrived = [proof for proof in proofs if proof.clock == clock.id and proof.receipt_at is not None]
    return min(arrived, key=lambda proof: proof.at, default=None)


def _open(dossier: Dossier, owed: Obligation, proofs: Sequence[Proof], cause: Cause, now: datetime) -> None:
    clock = Clock(
        id=uuid7(now),
        incident=dossier.incident.id,
        obligation=owed.id,
        regime=owed.regime,
        stage=owed.stage,
        recipient=owed.recipient,
        anchor=owed.anchor,
        anchor_at=owed.anchor_at,
        due_at=owed.due_at,
        target_at=owed.target_at,
        state=_unfired(owed.state),
        missing=list(owed.missing) or None,
        content=list(owed.content),
        source=owed.source,
        verified=owed.verified,
        generation=1,
        opened_at=now,
        met_at=None,
        met_by=None,
    )
    dossier.put(clock)
    dossier.tell("clock.opened", f"clock:{clock.id}", clock_values(clock), cause.actor)
    _arm(dossier, clock, now)
    if clock.state in _DONE:
        _meet(dossier, clock, proofs, cause, now)


def _told(old: Clock, owed: Obligation) -> Clock:
    """Return the clock as the answer has it."""
    return replace(
        old,
        obligation=owed.id,
        anchor=owed.anchor,
        anchor_at=owed.anchor_at,
        due_at=owed.due_at,
        target_at=owed.target_at,
        state=_unfired(owed.state),
        missing=list(owed.missing) or None,
        content=list(owed.content),
        source=owed.source,
        verified=owed.verified,
    )


def _change(
    dossier: Dossier, old: Clock, new: Clock, proofs: Sequence[Proof], *, cause: Cause, now: datetime
) -> None:
    if later(old, new) and not cause.by_person:
        new = _keep_time(old, new)
    moved = (old.due_at, old.target_at) != (new.due_at, new.target_at)
    if moved:
        new = replace(new, generation=old.generation + 1, doubted_at=None)
    elif old.state in _DONE or (old.state == "overdue" and new.state == "open"):
        new = replace(new, state=old.state)  # also where the host clock is behind what has happened
    if new.state in _DONE:
        new = replace(new, doubted_at=None)
    dossier.put(new)
    if moved or (new.state != old.state and new.state not in _DONE):
        detail = {"from": clock_values(old), "to": clock_values(new), "reason": cause.reason}
        dossier.tell("clock.moved", f"clock:{new.id}", detail, cause.actor)
    if new.state in _DONE:
        _meet(dossier, new, proofs, cause, now)
    elif moved or (
        old.state not in {"open", "overdue", "no_number"} and moments_of(new, now, dossier.warn_at)
    ):
        dossier.cancel(clock=new.id, now=now)
        _arm(dossier, new, now)


def _unfired(state: ClockState) -> ClockState:
    return "open" if state == "overdue" else state


def _keep_time(old: Clock, new: Clock) -> Clock:
    state = new.state if new.state in _DONE else old.state
    return replace(
        new,
        anchor=old.anchor,
        anchor_at=old.anchor_at,
        due_at=old.due_at,
        target_at=old.target_at,
        state=state,
    )


def withdraw(dossier: Dossier, clock: Clock, cause: Cause, now: datetime) -> None:
    """Let a clock that is not met be owed no more; the caller knows that it may."""
    if clock.state in _DONE or clock.state == "withdrawn":
        return
    new = replace(clock, state="withdrawn", generation=clock.generation + 1, doubted_at=None)
    dossier.put(new)
    dossier.cancel(clock=clock.id, now=now)
    detail = {"from": clock_values(clock), "to": clock_values(new), "reason": cause.reason}
    dossier.tell("clock.moved", f"clock:{clock.id}", detail, cause.actor)


def _meet(dossier: Dossier, clock: Clock, proofs: Sequence[Proof], cause: Cause, now: datetime) -> None:
    dossier.cancel(clock=clock.id, now=now)
    proof = proof_of(clock, proofs)
    if proof is None or (clock.met_by == proof.id and clock.met_at == proof.receipt_at):
        return
    dossier.put(replace(clock, met_by=proof.id, met_at=proof.receipt_at))
    late = max(0.0, (proof.at - clock.due_at).total_seconds()) if clock.due_at else 0.0
    detail = {
        "obligation": clock.obligation,
        "recipient": clock.recipient,
        "state": clock.state,
        "filing": proof.id,
        "filed_at": proof.at,
        "receipt_at": proof.receipt_at,
        "due_at": clock.due_at,
        "late_by_seconds": late,
    }
    dossier.tell("clock.met", f"clock:{clock.id}", detail, cause.actor)


def _arm(dossier: Dossier, clock: Clock, now: datetime) -> None:
    for kind, at in moments_of(clock, now, dossier.warn_at):
        dossier.arm(clock=clock.id, generation=clock.generation, kind=kind, at=at, now=now)


def _slips(old: datetime | None, new: datetime | None) -> bool:
    return old is not None and (new is None or new > old)
