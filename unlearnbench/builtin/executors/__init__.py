"""Built-in executors: their records only, the classes are part of `run`."""
