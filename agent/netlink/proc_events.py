r"""The kernel's word that a program was started: the process events connector (linux/cn_proc.h).

A sweep of /proc misses what lives shorter than its distance; the connector names every `execve`, short or
long. It needs CAP_NET_ADMIN in the first user namespace. A socket that is not emptied in time loses events,
which the kernel says by ENOBUFS: `lost` counts how often.

>>> event = struct.pack("=IIQ", EXEC, 0, 0) + struct.pack("=II", 4711, 4711)
>>> message = _CONNECTOR.pack(CN_IDX_PROC, CN_VAL_PROC, 0, 0, len(event), 0) + event
>>> started(HEADER.pack(HEADER.size + len(message), 3, 0, 0, 0) + message)
[4711]
"""

import errno
import os
import re
import socket
import struct
from typing import Self

from .message import HEADER, NetlinkError, split

NETLINK_CONNECTOR = 11
CN_IDX_PROC = CN_VAL_PROC = 1
EXEC = 0x00000002
_LISTEN = 1
_IGNORE = 2
_FILTERED_FROM = (6, 6)
_CONNECTOR = struct.Struct("=IIIIHH")
_EVENT = struct.Struct("=IIQ")
_PIDS = struct.Struct("=II")
_BUFFER = 1 << 20
_DATAGRAM = 1 << 16


def started(datagram: bytes) -> list[int]:
    """Return the processes that a datagram says have begun a program.

    Raises:
        NetlinkError: damaged bytes.
    """
    found = []
    for message in split(datagram):
        body = message.payload[_CONNECTOR.size :]
        if len(body) < _EVENT.size:
            continue  # the kernel's acknowledgement of our own request is shorter
        what, _, _ = _EVENT.unpack_from(body)
        if what != EXEC:
            continue
        if len(body) < _EVENT.size + _PIDS.size:
            raise NetlinkError(f"process event of {len(body)} bytes, expected {_EVENT.size + _PIDS.size}")
        found.append(_PIDS.unpack_from(body, _EVENT.size)[1])
    return found


class ProcEvents:
    """The connector's socket, open.

    Attributes:
        lost: How often the kernel had to drop events.
    """

    def __init__(self) -> None:
        """Begin to listen.

        Raises:
            OSError: no such connector here, or no right to it.
        """
        self.lost = 0
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, NETLINK_CONNECTOR
        )
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            self._socket.bind((0, CN_IDX_PROC))
            self._say(_LISTEN)
        except OSError:
            self._socket.close()
            raise

    def _say(self, operation: int) -> None:
        body = struct.pack("=I", operation)
        if _kernel() >= _FILTERED_FROM:  # the kernel then keeps forks and ends, most of all events, to itself
            body += struct.pack("=I", EXEC)
        connector = _CONNECTOR.pack(CN_IDX_PROC, CN_VAL_PROC, 0, 0, len(body), 0)
        header = HEADER.pack(HEADER.size + len(connector) + len(body), 3, 0, 0, os.getpid())
        self._socket.send(header + connector + body)

    def read(self, seconds: float) -> list[int]:
        """Return the processes named next; none after `seconds`.

        Raises:
            OSError: the socket is gone.
            NetlinkError: damaged bytes.
        """
        self._socket.settimeout(max(seconds, 0.001))
        try:
            return started(self._socket.recv(_DATAGRAM))
        except TimeoutError:
            return []
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            self.lost += 1
            return []

    def close(self) -> None:
        """Stop listening."""
        try:
            self._say(_IGNORE)
        except OSError:
            pass
        finally:
            self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _kernel() -> tuple[int, ...]:
    """Return the kernel's version, as far as it is a number.

    >>> _kernel() > (2, 6)
    True
    """
    return tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])
