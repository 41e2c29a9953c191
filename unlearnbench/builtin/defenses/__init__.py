"""Built-in defenses, one per file."""
