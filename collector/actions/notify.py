"""Tell the people of a role: one notice a person and channel."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncConnection

from ..drills import MARK
from ..escalation.roster import Call, Wake, wake
from ..plans.conditions import fill
from ..plans.model import Notify as NotifyStep
from ..store.notices import add_notice
from .port import Done, Failed, Result, StepContext, Surroundings


class Notify:
    """Queues the notices; whether they arrive is the notices' own story, not the step's."""

    kind: ClassVar[str] = "notify"

    def __init__(self, surroundings: Surroundings, /) -> None:
        self._surroundings = surroundings

    async def begin(self, conn: AsyncConnection, context: StepContext, /) -> Result:
        """Queue a notice to everybody of the role; a role that is empty falls to the leader."""
        step = context.step
        assert isinstance(step, NotifyStep)  # noqa: S101 - the runner asks by kind
        meant = self._people(context, step)
        if not meant.calls:
            return Failed("; ".join(meant.holes))
        for call in meant.calls:
            await add_notice(
                conn,
                key=f"{context.key}/{call.person}/{call.channel}",
                incident=context.incident.id if context.incident else None,
                person=call.person,
                channel=call.channel,
                payload=message(context, self._surroundings.language),
                now=context.now,
                drill=context.drill,
            )
        people = list(dict.fromkeys(call.person for call in meant.calls))
        return Done({"people": people, "notices": len(meant.calls), "holes": list(meant.holes)})

    async def poll(self, conn: AsyncConnection, context: StepContext, /) -> Result:
        """Queue what a killed begin may have left; keys keep it from being doubled."""
        return await self.begin(conn, context)

    def _people(self, context: StepContext, step: NotifyStep) -> Wake:
        directory = self._surroundings.directory()
        meant = wake(directory, context.unit, step.to, step.channels)
        if meant.calls or step.to == "leader":
            return meant
        leader = wake(directory, context.unit, "leader", step.channels)
        return Wake(calls=leader.calls, holes=(*meant.holes, *leader.holes))


async def ask(conn: AsyncConnection, context: StepContext, surroundings: Surroundings) -> None:
    """Tell the people of the owner role once that they are asked; where nobody bears it, the leader."""
    directory, role = surroundings.directory(), context.step.owner or "leader"
    meant = wake(directory, context.unit, role).calls or wake(directory, context.unit, "leader").calls
    await _tell(conn, context, surroundings, meant, "asks", {"zh": "【待审批】", "en": "[APPROVAL] "})


async def remind(conn: AsyncConnection, context: StepContext, surroundings: Surroundings) -> None:
    """Tell the leader, once, that a step has passed its deadline and still stays open."""
    meant = wake(surroundings.directory(), context.unit, "leader").calls
    await _tell(conn, context, surroundings, meant, "late", {"zh": "【已超时】", "en": "[OVERDUE] "})


async def _tell(  # noqa: PLR0917 - what a notice beside a step's own effect consists of
    conn: AsyncConnection,
    context: StepContext,
    surroundings: Surroundings,
    meant: Iterable[Call],
    what: str,
    mark: Mapping[str, str],
) -> None:
    payload = message(context, surroundings.language)
    payload["subject"] = mark.get(surroundings.language, mark["en"]) + str(payload["subject"])
    for call in meant:
        await add_notice(
            conn,
            key=f"{context.key}/{what}/{call.person}/{call.channel}",
            incident=context.incident.id if context.incident else None,
            person=call.person,
            channel=call.channel,
            payload=payload,
            now=context.now,
            drill=context.drill,
        )


def message(context: StepContext, language: str) -> dict[str, object]:
    """Return what a notice of a step says, marked where it is a drill."""
    mark = MARK.in_language(language) if context.drill else ""
    title = context.step.title.in_language(language)
    text = (context.step.text or context.step.title).in_language(language)
    return {
        "subject": f"{mark}{fill(title, context.scope)}{_about(context, language)}",
        "body": mark + fill(text, context.scope),
        "incident": context.incident.id if context.incident else None,
        "run": context.run,
        "step": context.name,
        "drill": context.drill,
    }


def _about(context: StepContext, language: str) -> str:
    """Which incident it is: a subject is all that a telephone shows at night."""
    if context.incident is None:
        return ""
    return f" · {context.incident.title if language == 'zh' else context.incident.title_en}"
