"""`fengsui-agent run --config FILE`: the agent, until it is told to stop."""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Iterator
from typing import Any

from ..app import Agent
from ..clock import host_clock
from ..outbox import OutboxError, OutboxFullError
from .loading import load

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Add the command."""
    subparsers.add_parser("run", help="run the agent")


def run(args: argparse.Namespace) -> int:
    """Run; ends the process with 0 when told to stop, with 1 when a part died.

    What hangs in a thread (a name service, a dead file system) must not keep the process from ending, and
    everything durable is closed by then: so the interpreter is not asked to wait for its threads.
    """
    logging.basicConfig(level=logging.INFO, format=_FORMAT, stream=sys.stderr)
    agent = Agent(lambda: load(args), host_clock())
    code = 0
    try:
        asyncio.Runner().run(agent.run())
    except (OutboxError, OutboxFullError) as error:
        print(error, file=sys.stderr)
        code = 1
    except BaseExceptionGroup as dead:
        known, strange = dead.split((OutboxError, OutboxFullError))
        for one in _leaves(known):
            print(one, file=sys.stderr)
        if strange:
            logging.getLogger("fengsui.agent").critical("a part of the agent died", exc_info=strange)
        code = 1
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _leaves(group: BaseExceptionGroup[Any] | None) -> Iterator[BaseException]:
    for error in group.exceptions if group else ():
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
