"""Builds every part of a collector once, owns its clock, its lifetimes and its reload.

    long-lived      store, event log, authority of certificates, listeners, flows
    swapped         the world: settings, register, regimes, plans, chains (live.py)

Flows know nothing of each other: they meet in the store. A flow that dies takes the process with it, loudly,
so that whoever supervises it starts it again; the rows are all that is needed to go on.

Imports nothing, so that a command that needs one of its parts starts without all others.
"""
