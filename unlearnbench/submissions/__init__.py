"""Submissions: a finished run as one folder that anyone can check without training a model."""
