"""Results -> figures. One plot a file; ``gather`` reads their values from a finished run."""
