"""Carries notices out: claims rows, sends by a channel, writes down what came of it."""

from .addressing import Address, address_of
from .flow import Notices

__all__ = ["Address", "Notices", "address_of"]
