"""Suite files: strict YAML in, a typed and fully resolved :class:`~unlearnbench.suite.model.Suite` out."""
