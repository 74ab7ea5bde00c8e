"""What a report says and the papers and files it becomes: composed from the incident, never typed twice."""

from .gathering import Documents

__all__ = ["Documents"]
