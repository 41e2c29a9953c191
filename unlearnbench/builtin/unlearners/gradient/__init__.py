"""Methods that train the network further."""
