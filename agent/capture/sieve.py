"""The filter that the kernel runs on every packet for us.

What passes:

    ARP, neighbour messages of IPv6     who claims which address, and who asked for it
    TCP with SYN or RST                 who knocks, who opens, who refuses; never the data in between
    TCP without ACK                     no stack sends it: who knocks in a way that logs do not show
    UDP to and from port 53             names asked for and what was answered, their beginning
    ICMP "unreachable"                  who knocked by UDP where nobody listens
    other UDP, one of 64 by chance      enough to see a flood, little enough to bear one

The loopback's packets never pass. Of IPv6 the headers between the fixed one and the ports are walked
(`extensions.py`); a packet with one too many, or with one of another kind, is dropped. Everything passes cut
to what is looked at, counted from behind those headers.
"""

from ..bpf import ETH_ARP, ETH_IPV4, ETH_IPV6, ICMP, ICMPV6, TCP, UDP, Assembler
from ..extensions import walk

SAMPLED = 64
"""Of UDP that is no question for a name and no answer, one of so many packets passes."""
UNREACHABLE, UNREACHABLE_V6 = 3, 1
ROUTER, SOLICITATION, ADVERTISEMENT = 134, 135, 136

_ARPHRD_LOOPBACK = 772
_SYN_OR_RST, _ACK = 0x06, 0x10
_DNS = 53
# Behind the headers: an ICMPv6 error has 8 bytes of its own and quotes 48 of headers without extensions.
_SNAP_HEADERS = 128
_SNAP_NAME = 320
_SNAP_ANSWER = 520  # what an answer may have without extensions


def interesting() -> bytes:
    """Return the filter of the story above."""
    made = (
        Assembler()
        .load_hardware()
        .jump_if(_ARPHRD_LOOPBACK, "drop")
        .load_protocol()
        .jump_if(ETH_IPV4, "ipv4")
        .jump_if(ETH_IPV6, "ipv6")
        .jump_if(ETH_ARP, "headers", "drop")
        .label("ipv4")
        .load_half(6)  # flags and fragment offset: only first fragments have ports
        .jump_if_any(0x1FFF, "drop")
        .header_ends(0)
        .load_byte(9)  # protocol
        .jump_if(TCP, "tcp")
        .jump_if(UDP, "udp")
        .jump_if(ICMP, "icmp", "drop")
        .label("ipv6")
    )
    walk(made, ((TCP, "tcp"), (UDP, "udp")), "last")
    return (
        made.label("last")
        .jump_if(TCP, "tcp")
        .jump_if(UDP, "udp")
        .jump_if(ICMPV6, "", "drop")
        .load_byte_behind(0)  # type
        .jump_if(ADVERTISEMENT, "headers")
        .jump_if(SOLICITATION, "headers")
        .jump_if(ROUTER, "headers")
        .jump_if(UNREACHABLE_V6, "headers", "drop")
        .label("icmp")
        .load_byte_behind(0)
        .jump_if(UNREACHABLE, "headers", "drop")
        .label("tcp")
        .load_byte_behind(13)  # flags
        .jump_if_any(_SYN_OR_RST, "headers")
        .jump_if_any(_ACK, "drop", "headers")
        .label("udp")
        .load_half_behind(2)  # destination port
        .jump_if(_DNS, "name")
        .load_half_behind(0)  # source port
        .jump_if(_DNS, "answer")
        .load_random()
        .keep_bits(SAMPLED - 1)
        .jump_if(0, "headers", "drop")
        .label("name")
        .accept_behind(_SNAP_NAME)
        .label("answer")
        .accept_behind(_SNAP_ANSWER)
        .label("headers")
        .accept_behind(_SNAP_HEADERS)
        .label("drop")
        .drop()
        .code()
    )


def nothing() -> bytes:
    """Return the filter of a rest: the kernel drops everything at once."""
    return Assembler().drop().code()
