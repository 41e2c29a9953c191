"""Built-in defenses: one method a file."""
