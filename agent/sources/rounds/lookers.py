"""The thread in which a source looks: kept while looks come often, gone when they do not.

    look, look, look ──> one thread, waiting between them      a new thread each time costs twice as much
    nothing for `_IDLE_SECONDS` ──> it ends; the next look starts another

A daemon, so that a look that hangs on a dead file system cannot keep the process from ending.
"""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

_IDLE_SECONDS = 3.0


class Looker:
    """Runs pieces of work one after the other in a thread of its own."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._lock = threading.Lock()
        self._serving = False

    def do(self, work: Callable[[], None]) -> None:
        """Have it done; it must not raise."""
        with self._lock:
            self._jobs.put(work)
            if self._serving:
                return
            self._serving = True
        threading.Thread(target=self._serve, name=self._name, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                work = self._jobs.get(timeout=_IDLE_SECONDS)
            except Empty:
                with self._lock:
                    if self._jobs.empty():
                        self._serving = False
                        return
            else:
                work()
                del work  # what it holds may be large, and this waits
