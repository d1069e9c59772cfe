"""The command line: one file per command group. Each parses, calls the library and prints; nothing imports it."""
