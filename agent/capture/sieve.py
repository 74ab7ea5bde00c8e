"""The filter that the kernel runs on every packet for us.

What passes:

    ARP, neighbour messages of IPv6     who claims which address, and who asked for it
    TCP with SYN or RST                 who knocks, who opens, who refuses; never the data in between
    TCP without ACK                     no stack sends it: who knocks in a way that logs do not show
    TCP to port 443 from this host,     by which name a server of TLS is greeted; of its data this alone,
      data 16 03 .. .. .. 01              and only where somebody wants to know
    UDP to and from port 53             names asked for and what was answered, their beginning
    ICMP "unreachable"                  who knocked by UDP where nobody listens
    other UDP, one of 64 by chance      enough to see a flood, little enough to bear one

The loopback's packets never pass. Of IPv6 the headers between the fixed one and the ports are walked
(`extensions.py`); a packet with one too many, or with one of another kind, is dropped. Everything passes cut
to what is looked at, counted from behind those headers.

A greeting in two packets has its name in either; the second one looks like any data and can't be told by a
filter without memory. Of this host's own the kernel shows what it hands to the card, which is both in one
where the card cuts segments itself (TSO), as nearly all do.
"""

from ..bpf import ETH_ARP, ETH_IPV4, ETH_IPV6, ICMP, ICMPV6, OUTGOING, TCP, UDP, Assembler
from ..extensions import walk

SAMPLED = 64
"""Of UDP that is no question for a name and no answer, one of so many packets passes."""
HTTPS = 443
UNREACHABLE, UNREACHABLE_V6 = 3, 1
ROUTER, SOLICITATION, ADVERTISEMENT = 134, 135, 136

_ARPHRD_LOOPBACK = 772
_SYN_OR_RST, _ACK = 0x06, 0x10
_DNS = 53
_RECORD = 0x1603  # a handshake's record, of any version of TLS
_CLIENT_HELLO = 1
# Behind the headers: an ICMPv6 error has 8 bytes of its own and quotes 48 of headers without extensions.
_SNAP_HEADERS = 128
_SNAP_NAME = 320
_SNAP_ANSWER = 520  # what an answer may have without extensions
# A key share of ML-KEM has 1.2 kB, a ticket and what ECH hides a few hundred bytes each.
_SNAP_HELLO = 4096


def interesting(*, hellos: bool = True) -> bytes:
    """Return the filter of the story above; `hellos`: whether greetings of TLS pass."""
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
    (
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
        .jump_if_any(_ACK, "data" if hellos else "drop", "headers")
    )
    if hellos:
        _greets(made)
    return (
        made.label("udp")
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


def _greets(made: Assembler) -> None:
    """Let a greeting of TLS pass; most data has another port, and pays for that question alone."""
    (
        made.label("data")
        .load_half_behind(2)
        .jump_if(HTTPS, "", "drop")
        .load_direction()
        .jump_if(OUTGOING, "", "drop")
        .load_byte_behind(12)  # the header's length in words, in the upper half
        .keep_bits(0xF0)
        .shift_down(2)
        .go_behind(1, 0)
        .load_half_behind(0)
        .jump_if(_RECORD, "", "drop")
        .load_byte_behind(5)
        .jump_if(_CLIENT_HELLO, "", "drop")
        .accept_behind(_SNAP_HELLO)
    )


def nothing() -> bytes:
    """Return the filter of a rest: the kernel drops everything at once."""
    return Assembler().drop().code()
