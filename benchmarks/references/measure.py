"""Writes the table of docs/references.md: the AUC of attacks on single records against the number of models.

``python benchmarks/references/measure.py STORE`` runs number-of-models.yaml into STORE, or reads what is there.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from unlearnbench import Results, run_suite
from unlearnbench.report.numbers import cell

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "references.md"
MODELS = (4, 8, 16, 32, 64)
ATTACKS = ("u-lira", "lira", "rmia")
BEGIN, END = "<!-- number of models -->\n", "<!-- end -->\n"


def table(results: Results) -> str:
    """Return a line for each unlearner and number of models, with a column for each attack."""
    found = {(row.names["unlearner"], row.names["attack"]): cell(row, "auc") for row in results.rows}
    lines = ["| unlearner | reference models | " + " | ".join(ATTACKS) + " |", "|---|---|" + "---|" * len(ATTACKS)]
    for unlearner in ("none", "retrain"):
        for n in MODELS:
            numbers = (found[unlearner, name if n == 16 else f"{name}(references={n})"] for name in ATTACKS)
            lines.append(f"| {unlearner} | {n} | " + " | ".join(numbers) + " |")
    others = ", ".join(f"{found[name, 'forgetting']} for `{name}`" for name in ("none", "retrain"))
    return (
        "\n".join(lines) + f"\n\nThe threshold on the loss, which needs no reference model (`forgetting`): {others}.\n"
    )


def main(store: str) -> None:
    """Run the suite and put its table into the page."""
    results = run_suite(HERE / "number-of-models.yaml", store=store)
    page = PAGE.read_text(encoding="utf-8")
    new = re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{table(results)}\n{END}", page, flags=re.DOTALL)
    PAGE.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
