"""What the paper leaves open: which part of the leak is the record, and what defenses buy."""

from __future__ import annotations

from unlearnbench.reproduction.claims import Above, Greater, Near, row
from unlearnbench.reproduction.experiment import (
    CLASSICAL,
    DIFF,
    GROWN,
    LINEAR,
    NETWORK,
    TREE,
    Experiment,
)

FOREST = "random-forest(n_estimators=100)"
COMPACT, REORDERED = "retrain(order=compact)", "retrain(order=fresh)"
FRESH = "retrain(init=fresh, order=fresh)"

RECORD = Experiment(
    "record-or-region",
    "F1",
    "Is it the deleted record that is found, or only the region it lay in?",
    (
        Near("a tree of 10 leaves reveals only the region: within .05 of chance against matched records",
             row("auc-matched", model=TREE, attack=DIFF), 0.5, 0.05),
        *(
            Above(f"{model} reveals the record: above chance against matched records",
                  row("auc-matched", model=model, attack=DIFF), 0.5)
            for model in (GROWN, FOREST, LINEAR, NETWORK, "lightgbm")
        ),
        *(
            Near(f"{model}: retained records are as easy to distinguish as unseen ones, within .05",
                 row("auc-retained", model=model, attack=DIFF), row(model=model, attack=DIFF), 0.05)
            for model in (TREE, FOREST, LINEAR, NETWORK, "lightgbm")
        ),
    ),
)  # fmt: skip

NOISE = Experiment(
    "retraining-noise",
    "F2",
    "How much of the leak comes from the record, and how much does the randomness of retraining hide?",
    (
        *(
            Near(f"{model}: the order of records changes nothing, within .01",
                 row(model=model, attack=DIFF), row(unlearner=COMPACT, model=model, attack=DIFF), 0.01)
            for model in (TREE, FOREST, LINEAR)
        ),
        Greater("network: a compact order of the records hides some of it",
                row(model=NETWORK, attack=DIFF), row(unlearner=COMPACT, model=NETWORK, attack=DIFF)),
        Above("network: with a compact order it is still above .6",
              row(unlearner=COMPACT, model=NETWORK, attack=DIFF), 0.6),
        *(
            Near(f"{model}, fresh initialization and order: within .05 of chance",
                 row(unlearner=FRESH, model=model, attack=DIFF), 0.5, 0.05)
            for model in (FOREST, NETWORK)
        ),
        Near("network, fresh order and the same initialization: within .05 of chance",
             row(unlearner=REORDERED, model=NETWORK, attack=DIFF), 0.5, 0.05),
        *(
            Above(f"{model}, fresh initialization and order: still above .6",
                  row(unlearner=FRESH, model=model, attack=DIFF), 0.6)
            for model in (TREE, LINEAR)
        ),
        *(
            Greater(f"{model}, fresh initialization and order: sorted-diff finds more than the classical attack",
                    row(unlearner=FRESH, model=model, attack=DIFF),
                    row(unlearner=FRESH, model=model, attack=CLASSICAL))
            for model in (TREE, FOREST, LINEAR, NETWORK)
        ),
        *(
            Greater(f"{model}, fresh initialization and order: score-diff finds more than the classical attack",
                    row(unlearner=FRESH, model=model, attack="score-diff"),
                    row(unlearner=FRESH, model=model, attack=CLASSICAL))
            for model in (FOREST, NETWORK)
        ),
    ),
)  # fmt: skip

DEFENSES = Experiment(
    "defenses",
    "F3",
    "How much does each defense reduce the leak, and how much utility does it cost?",
    (
        Near("label-only: sorted-diff within .05 of chance", row(defense="label-only", attack=DIFF), 0.5, 0.05),
        Greater("batches of ten hide more than no defense",
                row(attack=DIFF), row(defense="batched-release(size=10)", attack=DIFF)),
        Greater("dropout hides more than no defense", row(attack=DIFF), row(defense="dropout", attack=DIFF)),
        Greater("noise on the posteriors hides more than no defense",
                row(attack=DIFF), row(defense="posterior-noise", attack=DIFF)),
    ),
    frontier=True,
)  # fmt: skip

FRESH_RETRAINING = Experiment(
    "fresh-retraining",
    "F4",
    "What does an adversary find who expects fresh draws, with 40 shadow originals and the label?",
    (
        *(
            Greater(f"{model}, fresh initialization and order: {attack} finds more than the classical attack",
                    row(unlearner=FRESH, model=model, attack=attack),
                    row(unlearner=FRESH, model=model, attack=CLASSICAL))
            for model in (FOREST, NETWORK)
            for attack in ("score-diff", "ensemble")
        ),
        *(
            Greater(f"{model}: fresh draws hide some of it from {attack}",
                    row(model=model, attack=attack), row(unlearner=FRESH, model=model, attack=attack))
            for model in (FOREST, NETWORK)
            for attack in ("score-diff", "ensemble")
        ),
    ),
)  # fmt: skip
