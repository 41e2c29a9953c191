"""Networks in torch: one training loop, stacks of networks, dropout."""
