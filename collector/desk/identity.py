"""Who asks: a browser by its session cookie, a program by its bearer token.

A cookie alone changes nothing: a request that does must also carry the session's CSRF token, which a foreign
page cannot read, and must not say that it comes from another site. Bearer tokens are sent by no browser.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web

from ..store import journal
from ..store.users import User, api_token, close_session, open_session, session_user, user
from ..trust.tokens import BEARER, MAX_LENGTH, digest, new_secret
from ..trust.users import verify_password
from .guesses import Guesses
from .password import Passwords
from .problem import ProblemError
from .rights import Principal
from .world import Desk

SESSION_COOKIE = "fengsui_session"
CSRF_HEADER = "X-CSRF-Token"
SESSION_LENGTH = timedelta(hours=12)
"""A duty shift: who takes over signs in anew."""


async def identify(request: web.Request, desk: Desk) -> Principal | None:
    """Return who asks; None where neither a live session nor a valid token is shown."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme:
        return await _bearer(desk, token.strip()) if scheme.lower() == "bearer" else None
    secret = request.cookies.get(SESSION_COOKIE, "")
    if not secret or len(secret) > MAX_LENGTH:
        return None
    async with desk.store.read() as conn:
        found = await session_user(conn, digest(secret), desk.clock())
    return _principal(found, secret) if found else None


def is_local(request: web.Request) -> bool:
    """Whether the caller is on this host and not merely forwarded by a proxy that is."""
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ip_address(request.remote or "").is_loopback
    except ValueError:
        return False


def csrf_of(secret: str) -> str:
    """Return what a form of the session with this secret must carry."""
    return sha256(b"fengsui csrf\0" + secret.encode("utf-8", "surrogatepass")).hexdigest()


def require_same_origin(request: web.Request, principal: Principal, given: str | None = None) -> None:
    """Return when a changing request is really the principal's own.

    Args:
        request: The request.
        principal: Who asks; a bearer token needs no proof.
        given: The form's CSRF token; the header counts where it is None.

    Raises:
        ProblemError: forbidden.
    """
    if not principal.csrf:
        return
    refuse_foreign(request)
    token = request.headers.get(CSRF_HEADER, "") if given is None else given
    if not compare_digest(token.encode("utf-8", "replace"), principal.csrf.encode()):
        raise ProblemError("forbidden", f"the page's token ({CSRF_HEADER}) is missing or old; load it again")


def refuse_foreign(request: web.Request) -> None:
    """Return unless the browser says that another site sent this.

    Raises:
        ProblemError: forbidden.
    """
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin")
    foreign = origin is not None and origin != "null" and urlsplit(origin).netloc != request.host
    if site not in {"same-origin", "none"} or foreign or origin == "null":
        raise ProblemError("forbidden", "the request comes from another site")


def address_of(request: web.Request) -> str:
    """Return where a request comes from: the caller, or whom a proxy on this host names last."""
    try:
        forwarded = (
            request.headers.get("X-Forwarded-For", "") if ip_address(request.remote or "").is_loopback else ""
        )
    except ValueError:
        forwarded = ""
    return forwarded.rpartition(",")[2].strip() or request.remote or ""


class Door:
    """Lets in who knows a password, a few at a time, and makes guessing slow."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._passwords = Passwords()
        self._guesses = Guesses()

    async def sign_in(self, name: str, password: str, address: str, now: datetime) -> str | None:
        """Open a session; return its secret, or None where name and password do not fit.

        Raises:
            DelayedError: too many wrong tries; nothing was looked at.
            ProblemError: busy while too many passwords are being checked.
        """
        delay = self._guesses.begin(name, address, now)
        try:
            fits = await self._fits(name, password)
        except BaseException:
            self._guesses.take_back(name, address, now)
            raise
        if not fits:
            if delay:
                await self._tell(name, address, delay, now)
            return None
        self._guesses.right(name, address, now)
        secret = new_secret()
        await self._desk.store.run(
            lambda conn: open_session(conn, digest(secret), name, now, now + SESSION_LENGTH),
        )
        return secret

    async def _fits(self, name: str, password: str) -> bool:
        async with self._desk.store.read() as conn:
            found = await user(conn, name) if name.isprintable() else None
        return await self._passwords.check(
            verify_password, found.password_argon2 if found else None, password
        )

    async def _tell(self, name: str, address: str, delay: timedelta, now: datetime) -> None:
        detail = {"address": address[:64], "seconds": int(delay.total_seconds())}
        plain = "".join(letter if letter.isprintable() else "?" for letter in name)
        entry = journal.Entry(actor="system", action="user.delayed", subject=f"user:{plain}", detail=detail)
        await self._desk.store.run(lambda conn: journal.write(conn, entry, now))


async def sign_out(desk: Desk, secret: str) -> None:
    """End a session."""
    await desk.store.run(lambda conn: close_session(conn, digest(secret)))


async def _bearer(desk: Desk, token: str) -> Principal | None:
    if not token.startswith(BEARER) or len(token) > MAX_LENGTH:
        return None
    async with desk.store.read() as conn:
        found = await api_token(conn, digest(token))
    return Principal(actor=f"token:{found.id}", name=found.id, role=found.role) if found else None


def _principal(found: User, secret: str) -> Principal:
    return Principal(
        actor=f"person:{found.person}" if found.person else f"user:{found.name}",
        name=found.name,
        role=found.role,
        person=found.person,
        csrf=csrf_of(secret),
    )
