"""A token and a certificate request against a node id and a certificate.

::

    token, key A  ->  node 1, one use gone        the answer is lost on its way
    token, key A  ->  node 1 again, no use gone   a request is signed with its key: nobody else has it
    token, key B  ->  node 2, or no use is left
    node 1 renews, is cloned or removed, the token ends  ->  key A has no node to ask for any more
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.ids import uuid7
from wire.messages import VERSION, Enrolment, EnrolmentRequest

from ..errors import PermanentError
from ..registry import Registry
from ..store import journal
from ..store import nodes as rows
from ..store.engine import Store
from ..store.nodes import NodeRow, Standing, TokenRow
from ..trust.ca import Authority, Issued, digest_of_key
from ..trust.tokens import ENROLMENT, digest, read_token
from .answers import RefusedError

SILENT = timedelta(seconds=90)
"""An agent not heard of for so long may have been rebuilt."""


class Enroller:
    """Turns tokens into nodes; each use of a token makes exactly one."""

    def __init__(self, store: Store, authority: Authority, registry: Callable[[], Registry]) -> None:
        self._store = store
        self._authority = authority
        self._registry = registry

    async def enrol(self, request: EnrolmentRequest, now: datetime) -> Enrolment:
        """Mint a node id, sign its certificate and store both with a journal entry.

        Who asks again with the same token and key gets a certificate for the same node, and spends no use.

        Raises:
            RefusedError: `token` (403) unknown, expired or used up; `classified` (403) for an asset from
                which nothing may be collected; `csr` (400) for a bad request.
            RetryableError: the database is busy.
        """
        secret = _secret(request.token)
        async with self._store.read() as connection:
            token = await self._token(connection, secret, now)
            key = await asyncio.to_thread(_key_of, request.csr)
            known = await rows.enrolled_with(connection, token.id, key)
        if known is None and token.uses_left < 1:
            raise _bad_token()
        self._refuse_classified(request)
        node = known or uuid7(now)
        issued = await self._sign(request.csr, node, now)

        async def write(connection: AsyncConnection) -> str | None:
            token = await self._token(connection, secret, now, hold=True)
            if await rows.enrolled_with(connection, token.id, key) != known:
                return None
            if known is None:
                await self._admit(connection, _node(node, token, request, issued, now), token, key)
            else:
                await self._admit_again(connection, node, issued, now)
            return token.unit

        unit = await self._store.run(write)
        # Of two that ask at once with one key, one finds a node where there was none: it asks anew.
        return self._enrolment(node, unit, issued) if unit is not None else await self.enrol(request, now)

    async def _admit(self, connection: AsyncConnection, row: NodeRow, token: TokenRow, key: str) -> None:
        if not await rows.use_token(connection, token):
            raise _bad_token()
        now = row.enrolled_at
        await rows.add_node(connection, replace(row, enrolled_token=token.id, enrolled_key=key or None))
        await journal.write(connection, _entry(row, renewed=False), now)
        for old in await rows.replace_namesakes(connection, row, now - SILENT):
            await journal.write(connection, _replaced(old, row), now)

    async def _admit_again(
        self, connection: AsyncConnection, node: str, issued: Issued, now: datetime
    ) -> None:
        await rows.renew_node(connection, node, issued.serial, issued.expires, same_key=True)
        row = await rows.node(connection, node)
        if row is not None:
            await journal.write(connection, _entry(row, renewed=False, again=True), now)

    async def renew(
        self, peer: Standing, request: EnrolmentRequest, now: datetime, serial: str = ""
    ) -> Enrolment:
        """Sign a new certificate for a node that shows its old one; its id stays.

        Of the bearers of a cloned key the first keeps the id, each other becomes a node of its own.

        Raises:
            RefusedError: as `enrol`; `identity` (403) if the node was removed meanwhile.
        """
        self._refuse_classified(request)
        if peer.cloned and serial != peer.serial:
            return await self._part(peer, request, now)
        issued = await self._sign(request.csr, peer.id, now)

        async def write(connection: AsyncConnection) -> None:
            if not await rows.renew_node(connection, peer.id, issued.serial, issued.expires):
                raise RefusedError("identity", 403, f"node {peer.id} is no longer active; enrol it anew")
            row = await rows.node(connection, peer.id)
            if row is not None:
                await journal.write(connection, _entry(row, renewed=True), now)

        await self._store.run(write)
        return self._enrolment(peer.id, peer.unit, issued)

    async def _part(self, peer: Standing, request: EnrolmentRequest, now: datetime) -> Enrolment:
        """Give a bearer of a cloned key a fresh certificate: the id where it is free, else a new one."""
        issued = await self._sign(request.csr, peer.id, now)

        async def claim(connection: AsyncConnection) -> bool:
            if not await rows.claim_clone(connection, peer.id, issued.serial, issued.expires):
                return False
            row = await rows.node(connection, peer.id)
            if row is not None:
                await journal.write(connection, _entry(row, renewed=True), now)
            return True

        if await self._store.run(claim):
            return self._enrolment(peer.id, peer.unit, issued)
        node = uuid7(now)
        fresh = await self._sign(request.csr, node, now)

        async def split(connection: AsyncConnection) -> None:
            row = _node(node, peer, request, fresh, now)
            await rows.add_node(connection, row)
            await journal.write(connection, _entry(row, renewed=False, split_from=peer.id), now)

        await self._store.run(split)
        return self._enrolment(node, peer.unit, fresh)

    async def _token(
        self, connection: AsyncConnection, secret: str, now: datetime, *, hold: bool = False
    ) -> TokenRow:
        token = await rows.find_token(connection, digest(secret), now, hold=hold)
        if token is None:
            raise _bad_token()
        return token

    def _refuse_classified(self, request: EnrolmentRequest) -> None:
        registry = self._registry()
        named = [asset for key in request.assets if (asset := registry.asset(key)) and asset.classified]
        if named:
            keys = ", ".join(asset.id for asset in named)
            text = f"asset {keys} is classified (涉密): nothing is collected from it; remove the agent"
            raise RefusedError("classified", 403, text)

    async def _sign(self, csr: str, node: str, now: datetime) -> Issued:
        try:
            return await asyncio.to_thread(self._authority.sign_node, csr, node, now)
        except PermanentError as error:
            raise RefusedError("csr", 400, str(error)) from None

    def _enrolment(self, node: str, unit: str, issued: Issued) -> Enrolment:
        return Enrolment(
            version=VERSION,
            node=node,
            unit=unit,
            certificate=issued.pem,
            authorities=self._authority.trusted,
        )


def _secret(token: str) -> str:
    """The secret, whether the sender took it out of the token or sends the whole word."""
    if not token.startswith(ENROLMENT):
        return token
    try:
        return read_token(token).secret
    except PermanentError:
        raise _bad_token() from None


def _key_of(csr: str) -> str:
    """Return the digest of a request's key; of a bad request none, it is refused when it is to be signed."""
    try:
        return digest_of_key(csr)
    except PermanentError:
        return ""


def _bad_token() -> RefusedError:
    text = "token is unknown, expired or used up; create one with `fengsui-collector token create --unit U`"
    return RefusedError("token", 403, text)


def _node(
    node: str, of: TokenRow | Standing, request: EnrolmentRequest, issued: Issued, now: datetime
) -> NodeRow:
    """Return a new node: of the unit and kind that its token names, or that it has a key in common with."""
    return NodeRow(
        id=node,
        unit=of.unit,
        kind=of.kind,
        state="active",
        host_name=request.host_name,
        machine_id=request.machine_id,
        assets=list(request.assets),
        certificate_serial=issued.serial,
        certificate_expires=issued.expires,
        enrolled_at=now,
    )


def _replaced(old: str, row: NodeRow) -> journal.Entry:
    detail = {"by": row.id, "host_name": row.host_name, "unit": row.unit}
    return journal.Entry(actor=f"node:{row.id}", action="node.replaced", subject=f"node:{old}", detail=detail)


def _entry(
    row: NodeRow, *, renewed: bool, again: bool = False, split_from: str | None = None
) -> journal.Entry:
    detail: dict[str, object] = {
        "unit": row.unit,
        "kind": row.kind,
        "host_name": row.host_name,
        "assets": row.assets,
        "certificate_serial": row.certificate_serial,
        "renewed": renewed,
    }
    if again:
        detail["again"] = True
    if split_from:
        detail["split_from"] = split_from
    return journal.Entry(
        actor=f"node:{row.id}", action="node.enrolled", subject=f"node:{row.id}", detail=detail
    )
