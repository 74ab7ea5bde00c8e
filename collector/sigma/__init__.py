"""Sigma rules: read and checked by pySigma, lowered to the program that nodes evaluate (`wire.program`).

What cannot be done on a node is refused when the rules are read, with the file and the reason; nothing of a
rule is ever left out silently.
"""

from .load import Loaded, Refused, load_rules

__all__ = ["Loaded", "Refused", "load_rules"]
