"""Built-in scenarios, one per file."""
