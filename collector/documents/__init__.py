"""What a report says and the papers and files it becomes: composed from the incident, never typed twice."""

from .gathering import Documents
from .printing import Printer
from .rendering import MEDIA, Renderer

__all__ = ["MEDIA", "Documents", "Printer", "Renderer"]
