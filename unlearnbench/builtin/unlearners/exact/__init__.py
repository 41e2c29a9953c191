"""Retraining, and methods that train again only what held a record."""
