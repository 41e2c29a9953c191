from __future__ import annotations

import subprocess
import sys


def test_importing_the_statistics_loads_numpy_and_nothing_heavier() -> None:
    code = "import sys, unlearnbench.stats; print({'scipy', 'sklearn', 'torch', 'pandas'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 our own words
    assert found.stdout.strip() == "set()"
