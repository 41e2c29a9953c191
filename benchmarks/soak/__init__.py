"""Random runs under random disturbances; see README.md."""
