"""What a plan's steps do: one effect a file behind `port.Action`."""

from collections.abc import Mapping

from .file_report import FileReport
from .http_request import HttpRequest
from .notify import Notify
from .order_agent import OrderAgent
from .port import Action, Surroundings
from .wait import Wait

ACTIONS: tuple[type[Action], ...] = (Notify, OrderAgent, HttpRequest, FileReport, Wait)


def build(surroundings: Surroundings) -> Mapping[str, Action]:
    """Return every action by the kind of step it carries out."""
    return {action.kind: action(surroundings) for action in ACTIONS}
