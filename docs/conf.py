"""Settings of Sphinx. Build with ``make docs``; warnings are errors."""

from __future__ import annotations

import sys
from pathlib import Path

import unlearnbench

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "unlearnbench"
author = "The unlearnbench authors"
release = unlearnbench.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "builtin_pages"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"unlearnbench {release}"
html_copy_source = False
myst_heading_anchors = 3
autodoc_typehints = "none"
suppress_warnings = [
    "myst.xref_missing",  # links to files outside this folder, which tests/docs checks
]
