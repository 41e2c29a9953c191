"""Target models: one kind a file, written for correctness, trained one at a time."""
