"""Methods with a theory: for convex losses, and for training that adds noise."""
