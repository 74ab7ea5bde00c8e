"""Small readers of what the kernel says: links, addresses, routes, rules and sockets, as plain values."""
