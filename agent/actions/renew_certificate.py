"""Makes a fresh key and gets a certificate for it, before the old one's time."""

from collections.abc import Callable

from wire.vocabulary import OrderKind

from .port import Asked, Finished


class RenewCertificate:
    """The action `renew_certificate`; done twice it leaves a fresh key, as done once."""

    kind: OrderKind = "renew_certificate"

    def __init__(self, renew: Callable[[], None]) -> None:
        """Take what asks for the renewal, from any thread."""
        self._renew = renew

    def carry_out(self, asked: Asked) -> Finished:
        """Ask for it; the heartbeat tells the new certificate's end."""
        if asked.order.dry_run:
            return Finished({"would": "renew"})
        self._renew()
        return Finished({"asked": True})
