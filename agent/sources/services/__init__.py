"""What should work: portals and ports, backups, certificates, the clock, and the sources themselves."""
