"""Fully connected networks, trained one at a time in cache by compiled kernels."""
