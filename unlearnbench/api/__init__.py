"""From Python, what the command line does: run suites, and observe models of one's own."""
