"""Training, unlearning and querying many models at once."""
