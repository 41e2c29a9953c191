"""Built-in metrics: one method a file."""
