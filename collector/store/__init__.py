"""The state database: tables, and one file a noun that reads and writes them."""
