"""Methods that edit the weights of the network."""
