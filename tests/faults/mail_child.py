"""A collector process that only mails reports, until it is killed: `mail_child.py URL PORT`.

Its clock runs two hundred times as fast, so that the lease of a killed process is over in a second.
"""

import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta

from collector.authority import ByMail
from collector.channels.mail import MailChannel
from collector.documents import Printer, Renderer
from collector.settings import Mail, Route
from collector.store.engine import Store
from tests.conftest import Office

AUTHORITY = "informatization_authority"
ROUTES = {
    AUTHORITY: Route(
        way="mail", auto=True, channel="mail", to="report@authority.example", attach=("iodef", "ocsf")
    )
}
EPOCH = datetime(2026, 3, 2, tzinfo=UTC)
FAST = 200


def clock() -> datetime:
    """Return the same time in every process."""
    return EPOCH + timedelta(seconds=FAST * time.clock_gettime(time.CLOCK_MONOTONIC))


async def main(url: str, port: int) -> None:
    office = Office()
    store = await Store.open(url)
    mail = Mail(host="127.0.0.1", port=port, sender="duty@county.example", security="none")
    channel = MailChannel("mail", mail, password="", now=clock, timeout=timedelta(seconds=10))
    flow = ByMail(
        store,
        routes=lambda: ROUTES,
        channels=lambda: {"mail": channel},
        make=Printer(store, office.documents, Renderer(lambda: "")).make,
        record_filing=office.casework.record_filing,
        language="zh",
        clock=clock,
    )
    await flow.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
