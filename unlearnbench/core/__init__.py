"""Values (records, requests, observations, estimates) and the contracts of plug-ins. Imports numpy and nothing else."""
