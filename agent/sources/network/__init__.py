"""Ways out of this host and what goes through them: exits, connections, packets."""
