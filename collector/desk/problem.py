"""What a request is answered with when it cannot be done: RFC 9457's fields, raised as an exception.

`api` renders one as a problem document, `console` as a page; both say the same.
"""

from typing import Literal

from ..errors import PermanentError

Kind = Literal[
    "malformed",
    "unauthenticated",
    "forbidden",
    "not-found",
    "conflict",
    "too-large",
    "method-not-allowed",
    "busy",
    "internal",
]
STATUS: dict[Kind, int] = {
    "malformed": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not-found": 404,
    "method-not-allowed": 405,
    "conflict": 409,
    "too-large": 413,
    "internal": 500,
    "busy": 503,
}
TITLES: dict[Kind, str] = {
    "malformed": "The request cannot be read",
    "unauthenticated": "Sign in or send a token",
    "forbidden": "Not allowed",
    "not-found": "Nothing stands here",
    "method-not-allowed": "This cannot be done here",
    "conflict": "It does not fit what is there",
    "too-large": "The request is too large",
    "internal": "A fault of this collector",
    "busy": "The collector is busy",
}


class ProblemError(PermanentError):
    """A request that ends here. The text is the problem's `detail` and may be shown to who asked."""

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail

    @property
    def status(self) -> int:
        """HTTP status of this kind of problem."""
        return STATUS[self.kind]

    @property
    def title(self) -> str:
        """What all problems of this kind have in common, in English."""
        return TITLES[self.kind]
