"""Controls: what a table must show of unlearners that are none."""
