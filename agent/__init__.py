"""Runs on every node: sees, keeps on disk, sends; carries out the few orders its own settings allow."""
