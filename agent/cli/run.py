"""`fengsui-agent run --config FILE`: the agent, until it is told to stop."""

import argparse
import asyncio
import logging
import sys
from typing import Any

from ..app import Agent
from ..clock import host_clock
from ..outbox import OutboxError
from .loading import load

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Add the command."""
    subparsers.add_parser("run", help="运行探针 run the agent")


def run(args: argparse.Namespace) -> int:
    """Run; 0 when told to stop, 1 when a part died."""
    logging.basicConfig(level=logging.INFO, format=_FORMAT, stream=sys.stderr)
    agent = Agent(lambda: load(args), host_clock())
    try:
        asyncio.run(agent.run())
    except OutboxError as error:
        print(error, file=sys.stderr)
        return 1
    except BaseExceptionGroup as dead:
        logging.getLogger("fengsui.agent").critical("a part of the agent died", exc_info=dead)
        return 1
    return 0
