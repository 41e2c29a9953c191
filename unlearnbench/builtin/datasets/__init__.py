"""Data sets: one a file. Those that may be shipped travel with the package, the others are found by :mod:`.files`."""
