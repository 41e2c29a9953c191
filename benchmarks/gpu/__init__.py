"""What only a GPU can show: every engine path there, and beside a CPU; see README.md."""
