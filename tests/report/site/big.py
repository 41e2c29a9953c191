"""A large board, made up: 40 unlearners, 12 attacks and 3 models, entered by five authors."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace

from unlearnbench.core.estimates import Estimate
from unlearnbench.report.publication import BoardEntry, Publication
from unlearnbench.report.roles import PluginRole, Roles
from unlearnbench.run.results import Row, mean_over_seeds

MODELS = ("decision-tree", "logistic-regression", "mlp(hidden=[64,32])")
METHODS = tuple(f"method-{number}(rate=0.{number})" for number in range(1, 38))
UNLEARNERS = ("retrain", "none", "noise-floor", *METHODS)
ATTACKS = (
    *("sorted-diff", "direct-concat", "sorted-concat", "direct-diff", "euclidean", "classical"),
    *("score-diff", "score-ratio", "forgetting", "random", "oracle-label", "blind"),
)
AUTHORS = ("Ada Lovelace", "B. Okonkwo", "Chen Wei", "D. García", "The unlearnbench authors")
DIGEST = "ab" * 32


def draw(*names: object) -> float:
    """Return a number from 0 to 1 that follows from names."""
    return zlib.crc32(repr(names).encode()) / 2**32


def big_publication(row: Callable[..., Row], publication: Publication) -> Publication:
    """Return the board; ``publication`` gives suite, environment and the roles of built-in plug-ins."""
    rows = [
        replace(
            row(seed=seed, model=model, unlearner=unlearner, attack=attack),
            metrics=metrics(model, unlearner, attack, seed),
        )
        for model in MODELS
        for unlearner in UNLEARNERS
        for attack in ATTACKS
        for seed in (0, 1)
    ]
    roles = Roles({
        **publication.roles.plugins,
        "unlearner": {
            **publication.roles.plugins["unlearner"],
            **{name.partition("(")[0]: PluginRole(sees=("forget-set", "retain-set", "labels")) for name in METHODS},
        },
    })  # fmt: skip
    suite = {**publication.suite, "suite": "big", "seeds": [0, 1]}
    return replace(
        publication, suite=suite, roles=roles, rows=(*rows, *mean_over_seeds(rows)), entries=tuple(entries())
    )


def metrics(model: str, unlearner: str, attack: str, seed: int) -> dict[str, Estimate]:
    control = {"random": 0.5, "blind": 0.5, "oracle-label": 1.0}.get(attack)
    leak = 0.5 + 0.45 * draw(model, unlearner) * (0.4 + 0.6 * draw(attack))
    auc = control or (0.5 if unlearner == "none" else leak) + 0.02 * (draw(model, unlearner, attack, seed) - 0.5)
    accuracy = 0.7 + 0.2 * draw(unlearner)
    return {
        "auc": Estimate(auc, auc - 0.04, min(auc + 0.04, 1.0), 200),
        "auc-matched": Estimate(auc, auc - 0.06, min(auc + 0.06, 1.0), 40),
        "auc-retained": Estimate(auc, auc - 0.06, min(auc + 0.06, 1.0), 40),
        "test-accuracy-unlearned": Estimate(accuracy, accuracy - 0.01, accuracy + 0.01, 40, scale="share"),
        "record-passes": Estimate(draw(unlearner, "cost"), None, None, 40, "no-interval", "made up", "positive"),
    }


def entries() -> list[BoardEntry]:
    """Return the reference entry, one for each method, and two that are not accepted any more."""
    environment = {"processor": "AMD EPYC", "python": "3.12"}

    def entry(number: int, name: str, axis: str, label: str, **more: str) -> BoardEntry:
        author, date = AUTHORS[-1 if not axis else number % 4], f"2026-11-{number % 28 + 1:02}"
        version = f"their-package 1.{number}, revision 1" if axis else ""
        tuned = "40 trials on other seeds" if number % 3 == 0 and axis else ""
        made = BoardEntry(f"{name}-{number:08x}", DIGEST, name, author, date, axis, label, version, environment, tuned)
        return replace(made, nonce="spring", rerun=("to the bit: a cell",), **more)  # type: ignore[arg-type]  # words

    return [
        entry(0, "reference", "", ""),
        *(entry(number, f"method-{number}", "unlearner", label) for number, label in enumerate(METHODS, 1)),
        entry(60, "method-1", "unlearner", METHODS[0], status="superseded", reason="by method-1-00000001"),
        entry(61, "too-good", "unlearner", "too-good", status="withdrawn", reason="its code reads the labels"),
    ]
