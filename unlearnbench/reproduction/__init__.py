"""The experiments of Chen et al. (CCS 2021): their suites, what is expected of each, and whether it was found."""
