"""What crosses between agents and collectors, and between one collector and the one above it."""
