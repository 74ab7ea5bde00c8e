"""Turns what was seen into incidents: pure, fed with times, and bounded in memory.

A decoder (`eve`, `zeek`) makes a `Finding` of a record; `repeats` makes one trouble of many findings;
`scans` and `loss` count what no single record tells.
"""
