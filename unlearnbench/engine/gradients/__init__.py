"""Gradient methods of unlearning: what a method is (``passes``), and training many networks by it at once."""
