"""Built-in attacks: one method a file."""
