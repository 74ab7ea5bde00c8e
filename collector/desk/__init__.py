"""What console and API share: who asks, what they may do, what a person does, and how a no is said.

Both stand on this room and know nothing of each other; `app` puts them into one HTTP application.
"""

from .application import Room, make_application
from .problem import ProblemError
from .rights import Principal
from .world import CompleteStep, Desk, Move

__all__ = ["CompleteStep", "Desk", "Move", "Principal", "ProblemError", "Room", "make_application"]
