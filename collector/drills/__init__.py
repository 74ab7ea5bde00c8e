"""Drills as nouns: forms and scopes of GB/T 38645, the script, the score sheet, the year's proof (pure).

A drill is a real course of things marked as none: incidents, clocks, notices, runs and filings bear its flag
from end to end, and what would reach beyond its circle is simulated. `duty.director` plays the script.
"""

from .model import FORMS, KINDS, MARK, SCOPES, STATES, Form, Kind, Scope, State, marked
from .score import Mark, Sheet, score
from .script import Event, Script, read_script
from .yearly import Held, Proof, prove

__all__ = [
    "FORMS",
    "KINDS",
    "MARK",
    "SCOPES",
    "STATES",
    "Event",
    "Form",
    "Held",
    "Kind",
    "Mark",
    "Proof",
    "Scope",
    "Script",
    "Sheet",
    "State",
    "marked",
    "prove",
    "read_script",
    "score",
]
