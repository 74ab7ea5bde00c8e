"""What a plan's steps do: one effect a file behind `port.Action`."""

from collections.abc import Mapping

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from .file_report import FileReport
from .http_request import HttpRequest
from .notify import Notify, ask, remind
from .order_agent import OrderAgent
from .port import Action, StepContext, Surroundings
from .wait import Wait

ACTIONS: tuple[type[Action], ...] = (Notify, OrderAgent, HttpRequest, FileReport, Wait)


class Actions(Struct, frozen=True):
    """Every action by the kind of step it carries out."""

    surroundings: Surroundings
    by_kind: Mapping[str, Action]

    async def ask(self, conn: AsyncConnection, context: StepContext) -> None:
        """Tell those whose approval a step waits for."""
        await ask(conn, context, self.surroundings)

    async def remind(self, conn: AsyncConnection, context: StepContext) -> None:
        """Tell the leader that a step is late and stays open."""
        await remind(conn, context, self.surroundings)


def build(surroundings: Surroundings) -> Actions:
    """Return the actions of these surroundings."""
    return Actions(surroundings, {action.kind: action(surroundings) for action in ACTIONS})
