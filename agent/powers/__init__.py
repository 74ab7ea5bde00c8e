"""What changes the host: a packet filter, the end of a process, a look at packets. Nothing else here does.

    action ──> Powers ── Local ──> nft, pidfd, AF_PACKET        an agent with the capabilities
                  └───── Deputy ═ unix socket ═> Local          an agent without any: `fengsui-agent deputy`

Both have the same few verbs with typed parameters, and the list of what is never blocked is applied here,
last, on whichever side has the power.
"""

from .capture import Wanted
from .deputy import Deputy, serve
from .firewall import Block, FirewallError
from .local import Local
from .never import Never, never_of
from .port import ForbiddenError, Powers

__all__ = [
    "Block",
    "Deputy",
    "FirewallError",
    "ForbiddenError",
    "Local",
    "Never",
    "Powers",
    "Wanted",
    "never_of",
    "serve",
]
