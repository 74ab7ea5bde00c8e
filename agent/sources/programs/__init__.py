"""What runs on this host: the process table, who began what, and programs that have no business here."""
