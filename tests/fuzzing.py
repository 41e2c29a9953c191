"""How many random inputs the readers are fed: a factor, 1 unless the variable FUZZ says more, as `make fuzz` does."""

from __future__ import annotations

import os

TIMES = int(os.environ.get("FUZZ", "1"))
