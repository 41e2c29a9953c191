"""Built-in unlearners: one method a file."""
