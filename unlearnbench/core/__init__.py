"""Values and contracts: what a record, an episode and an observation are. Imports numpy and nothing else."""
