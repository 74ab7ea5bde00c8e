"""What changes the host: a packet filter, the end of a process, a look at packets. Nothing else here does.

    action ──> Powers ── Local ──> nft, pidfd, AF_PACKET        an agent with the capabilities
                  └───── Deputy ═ unix socket ═> Local          an agent without any: `fengsui-agent deputy`

Both have the same few verbs with typed parameters, and the list of what is never blocked is applied here,
last, on whichever side has the power. `Remembered` stands before either and puts back what the kernel lost.
"""

from .capture import Wanted
from .deputy import Deputy, serve
from .firewall import Block, FirewallError
from .local import Local
from .never import Never, never_of
from .port import ForbiddenError, Powers
from .remembered import Remembered

__all__ = [
    "Block",
    "Deputy",
    "FirewallError",
    "ForbiddenError",
    "Local",
    "Never",
    "Powers",
    "Remembered",
    "Wanted",
    "never_of",
    "serve",
]
