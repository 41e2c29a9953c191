"""Built-in attacks, one per file."""
