"""Logistic regression: many left-out sets of one base, solved together."""
