"""How reports reach authorities: written, printed, and sent upstream, by a person's hand or by mail."""

from collections.abc import Callable, Mapping
from datetime import datetime

from ..authority import ByHand, ByMail, Upstream
from ..casework import Casework
from ..channels import Channel
from ..documents import Documents, Printer, Renderer
from ..store.engine import Store
from .live import Live


class Reporting:
    """The parts that make reports and file them, on one casework.

    Args:
        store: The state.
        live: The files in use.
        casework: Hears what was filed.
        channels: Those in use, by name; asked at every mail.
        clock: The host's.

    Attributes:
        renderer: Makes documents of pages.
        printer: Makes a report's documents.
        upstream: Files to the collector above.
        by_hand: Takes what people have filed elsewhere; the desk's way to all reports.
        by_mail: Sends reports as letters.
    """

    def __init__(
        self,
        store: Store,
        live: Live,
        casework: Casework,
        *,
        channels: Callable[[], Mapping[str, Channel]],
        clock: Callable[[], datetime],
    ) -> None:
        settings = live.settings()
        documents = Documents(registry=live.registry, regimes=live.regimes, classes=live.classes)
        self.renderer = Renderer(lambda: live.settings().documents)
        self.printer = Printer(store, documents, self.renderer)
        self.upstream = Upstream(
            store,
            state=settings.state,
            registry=live.registry,
            routes=lambda: live.settings().routes,
            record_filing=casework.record_filing,
            statement=documents.statement,
            clock=clock,
        )
        self.by_hand = ByHand(
            self.upstream,
            registry=live.registry,
            routes=lambda: live.settings().routes,
            record_filing=casework.record_filing,
            statement=documents.statement,
        )
        self.by_mail = ByMail(
            store,
            routes=lambda: live.settings().routes,
            channels=channels,
            make=self.printer.make,
            record_filing=casework.record_filing,
            language=settings.language,
            clock=clock,
        )
