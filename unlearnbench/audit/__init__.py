"""An audit of models that are not ours: from a file of their answers to the leak, a verdict and a page."""
