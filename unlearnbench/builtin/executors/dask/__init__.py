"""The executor for clusters, by dask.distributed: the extra ``cluster``."""
