"""A template for plug-ins of unlearnbench."""
