"""Append, read from a cursor, trim: batches as received, and the session rows beside them."""
