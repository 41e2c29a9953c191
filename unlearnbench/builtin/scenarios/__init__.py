"""Built-in scenarios: one method a file."""
