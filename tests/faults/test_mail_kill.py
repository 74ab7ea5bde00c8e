"""Senders of mailed reports are killed around the sending; the authority has each report, and as one mail."""

import asyncio
import sys
from collections import Counter, defaultdict
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from itertools import cycle
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from aiosmtpd.smtp import SMTP, Envelope, Session

from collector.authority import Upstream
from collector.store import schema
from collector.store.engine import Store
from tests.contracts.postbox import Postbox, postbox
from tests.faults.mail_child import AUTHORITY, ROUTES, clock

if TYPE_CHECKING:
    from tests.conftest import Office

CHILD = Path(__file__).with_name("mail_child.py")
INCIDENTS = 10
MOMENTS = ("before the report", "before the answer", "after the answer")
KILLS = 2 * len(MOMENTS)


class Murderer(Postbox):
    """A mail server that ends its client: when it names the address, in the report, or at the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.client: asyncio.subprocess.Process | None = None
        self.killed: Counter[str] = Counter()
        self._moments = cycle(MOMENTS)
        self._next = next(self._moments)
        self._mails = 0
        self._random = Random(11)  # noqa: S311 - moments to kill at, not secrets

    def _kill(self, moment: str) -> bool:
        if moment != self._next or self._mails % 2 == 0 or self.killed.total() >= KILLS:
            return False
        self.killed[moment] += 1
        self._next = next(self._moments)
        assert self.client is not None
        wait = self._random.uniform(0, 0.02) if moment == "after the answer" else 0
        asyncio.get_running_loop().call_later(wait, end, self.client)
        return True

    async def handle_RCPT(  # noqa: N802 - the library's names
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self._mails += 1
        if self._kill("before the report"):
            await asyncio.Event().wait()
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - the library's names
        answer = await super().handle_DATA(server, session, envelope)
        if self._kill("before the answer"):
            await asyncio.Event().wait()
        self._kill("after the answer")
        return answer


def end(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        child.kill()


@pytest.mark.slow
@pytest.mark.timeout(150)
async def test_a_kill_around_the_sending_leaves_one_mail_of_each_report(
    sqlite_state: Store, sqlite_url: str, office: "Office", tmp_path: Path
) -> None:
    await _owe_reports(sqlite_state, office, tmp_path)

    box = Murderer()
    async with postbox(box=box), asyncio.timeout(120):
        while await _unsent(sqlite_state):
            box.client = await asyncio.create_subprocess_exec(
                sys.executable,
                str(CHILD),
                sqlite_url,
                str(box.port),
                cwd=CHILD.parents[2],
                env={"PYTHONPATH": str(CHILD.parents[2])},
            )
            ended = asyncio.get_running_loop().create_task(box.client.wait())
            while not ended.done() and await _unsent(sqlite_state):
                await asyncio.wait({ended}, timeout=0.2)
            end(box.client)
            await ended

    assert box.killed == Counter(dict.fromkeys(MOMENTS, KILLS // len(MOMENTS)))
    taken = defaultdict(set)
    for raw in box.taken:
        taken[str(message_from_bytes(raw, EmailMessage, policy=default)["Message-ID"])].add(raw)
    assert len(box.taken) > len(taken)  # some went again
    async with sqlite_state.read() as conn:
        filings = (await conn.execute(sa.select(schema.filings))).mappings().all()
        kept = (await conn.execute(sa.select(schema.attachments.c.body))).scalars().all()
        said = (
            await conn.execute(
                sa.select(schema.journal.c.subject).where(schema.journal.c.action == "filing.sent")
            )
        ).scalars()
        assert Counter(said) == Counter({f"filing:{row['id']}": 1 for row in filings})
    assert len(filings) == INCIDENTS
    assert {row["state"] for row in filings} == {"sent"}
    assert {row["result"]["message_id"] for row in filings} == set(taken)
    assert {len(mails) for mails in taken.values()} == {1}
    assert {body.replace(b"\n", b"\r\n") for body in kept} == {
        raw for mails in taken.values() for raw in mails
    }


async def _owe_reports(state: Store, office: "Office", folder: Path) -> None:
    for number in range(INCIDENTS):
        finding = office.finding(clock(), fingerprint=f"node-1/NAWEBMOD/{number}", node=f"node-{number}")
        async with state.write() as conn:
            await office.casework.open(conn, finding, clock(), clock())
    upstream = Upstream(
        state,
        state=folder,
        registry=lambda: office.registry,
        routes=lambda: ROUTES,
        record_filing=office.casework.record_filing,
        statement=office.documents.statement,
        clock=lambda: clock() - timedelta(hours=1),
    )
    await upstream.step()
    await upstream.close()


async def _unsent(state: Store) -> bool:
    async with state.read() as conn:
        query = sa.select(sa.func.count()).where(
            schema.filings.c.recipient == AUTHORITY, schema.filings.c.state != "sent"
        )
        return bool((await conn.execute(query)).scalar_one())
