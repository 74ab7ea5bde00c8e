"""What this host is, and what an intruder leaves on it: accounts, autostarts, rights, cleared logs."""
