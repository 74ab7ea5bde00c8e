"""Web roots: accepted content, what differs from it, since when, and who wrote it."""
