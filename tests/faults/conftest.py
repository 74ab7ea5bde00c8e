"""The far side of an agent's network, as the agent's own tests have it."""

from tests.agent.conftest import authority, far_side

__all__ = ["authority", "far_side"]
