"""Every decoder of bytes from outside, in the order in which docs/testing.md lists them."""

from tests.fuzz import of_agents, of_collectors, of_host, of_kernel, of_network, of_people

DECODERS = (
    *of_kernel.DECODERS,
    *of_network.DECODERS,
    *of_host.DECODERS,
    *of_collectors.DECODERS,
    *of_agents.DECODERS,
    *of_people.DECODERS,
)
