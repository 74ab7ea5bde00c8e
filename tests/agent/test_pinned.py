"""A host's wrong clock shuts no collector out; a certificate that is older than this node does."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from agent.pinned import to_collectors

from .conftest import Authority

if TYPE_CHECKING:
    from pathlib import Path

DAY = timedelta(days=1)


async def meet(server: ssl.SSLContext, client: ssl.SSLContext, name: str = "localhost") -> str:
    """Connect to a real listener; return the version that was spoken."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    listener = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=server)
    port = listener.sockets[0].getsockname()[1]
    async with listener, asyncio.timeout(10):
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname=name)
        version: str = writer.get_extra_info("ssl_object").version()
        writer.close()
        return version


@pytest.mark.parametrize(
    ("began", "days"),
    [(-300 * DAY, 90), (-2 * DAY, 90), (timedelta(hours=1), 90), (300 * DAY, 299), (200 * DAY, 180)],
    ids=["host 300 days behind", "host two days behind", "right", "host a day ahead", "host 20 days ahead"],
)
async def test_whatever_the_hosts_clock_says_of_its_time_a_collectors_certificate_is_taken(
    authority: Authority, began: timedelta, days: int
) -> None:
    """The listener's certificate began so long ago by the host's clock; ours was made within its time."""
    made = datetime.now(UTC) - began + DAY  # noqa: TID251 - the real clock judges certificates
    assert (
        await meet(authority.server(ago=began, days=days), to_collectors(authority.pem(), made)) == "TLSv1.3"
    )


async def test_a_certificate_that_ended_before_ours_was_made_is_refused(authority: Authority) -> None:
    made = datetime.now(UTC) - 10 * DAY  # noqa: TID251 - as above
    with pytest.raises(ssl.SSLCertVerificationError, match="before what this node trusts it by was made"):
        await meet(authority.server(ago=100 * DAY, days=89), to_collectors(authority.pem(), made))


async def test_another_authority_or_another_name_is_refused_as_ever(
    authority: Authority, tmp_path: Path
) -> None:
    made = datetime.now(UTC)  # noqa: TID251 - as above
    (tmp_path / "foreign").mkdir()
    foreign = Authority(tmp_path / "foreign", "foreign")
    with pytest.raises(ssl.SSLCertVerificationError, match=r"self-signed|unable to get local issuer"):
        await meet(foreign.server(), to_collectors(authority.pem(), made))
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        await meet(authority.server(), to_collectors(authority.pem(), made), "elsewhere.example")
