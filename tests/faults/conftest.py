"""The far side of an agent's network, as the agent's own tests have it."""

from tests.agent.conftest import authority, clock, far_side, identity

__all__ = ["authority", "clock", "far_side", "identity"]
