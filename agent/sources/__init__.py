"""What the agent senses: one sensor a file behind `port.py`."""
