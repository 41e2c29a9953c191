"""Networks in torch: one module at a time (``training``), or stacks of them (``stack``, ``stacked_jobs``)."""
