"""A socket on which the kernel speaks unasked: groups of one netlink family, never blocking, losses told.

Whoever reads too slowly loses messages, and the kernel says so once (ENOBUFS): that is counted, and the
reader looks at the whole table or reports the gap. A flood costs no more than `most` datagrams a reading.
"""

import errno
import socket

EVENT_BUFFER = 1 << 20
_DATAGRAM = 1 << 16
_MOST = 4096


class Events:
    """An open subscription.

    Attributes:
        overflows: How often the kernel had to drop messages.
    """

    def __init__(self, protocol: int, groups: tuple[int, ...], buffer: int = EVENT_BUFFER) -> None:
        """Begin to listen.

        Raises:
            OSError: no such family here, or no right to it.
        """
        self.overflows = 0
        kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        self._socket = socket.socket(socket.AF_NETLINK, kind, protocol)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            self._socket.bind((0, sum(1 << group - 1 for group in groups)))
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._socket.fileno()

    def drain(self, most: int = _MOST) -> list[bytes]:
        """Return what waits, at most `most` datagrams of it."""
        heard: list[bytes] = []
        while len(heard) < most:
            try:
                datagram, sender = self._socket.recvfrom(_DATAGRAM)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self.overflows += 1
                continue
            if sender[0] == 0:  # only the kernel is believed, not another process that sends to the group
                heard.append(datagram)
        return heard

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
