"""Suite -> plan -> observe -> release -> attack -> measure -> store."""
