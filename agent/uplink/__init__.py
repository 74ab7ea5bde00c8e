"""Sends what the outbox holds, batch by batch, and feeds the answers back to it."""

from .uplink import Uplink

__all__ = ["Uplink"]
