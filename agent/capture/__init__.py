"""Packets as they pass, or from a recorded file, counted for `agent.detection`; pure Python.

live    bpf (which packets) -> ring (kernel memory) -> live (counts) -->
file    pcap (packets)      -> frames (decoding) ---------------------->  Tally -> detection.traffic
"""
