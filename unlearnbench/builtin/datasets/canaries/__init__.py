"""Canaries: worst-case records that a suite puts into a data set."""
