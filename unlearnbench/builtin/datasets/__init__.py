"""Built-in data sets, one per file. Some are part of the package; :mod:`.files` finds the files of the others."""
