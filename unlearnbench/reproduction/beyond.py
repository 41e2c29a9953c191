"""What the paper leaves open: which part of the leak is the record, and what defenses buy."""

from __future__ import annotations

from unlearnbench.reproduction.claims import Above, Greater, Near, of
from unlearnbench.reproduction.experiment import (
    DIFF,
    GROWN,
    LINEAR,
    NETWORK,
    TREE,
    Experiment,
)

FOREST = "random-forest(n_estimators=100)"
COMPACT, REORDERED = "retrain(order=compact)", "retrain(order=fresh)"
ANEW = "retrain(init=fresh, order=fresh)"

RECORD = Experiment(
    "record-or-region",
    "F1",
    "Is it the deleted record that is found, or only the region it lay in?",
    (
        Near("a tree of 10 leaves gives away the region alone: within .05 of chance against matched records",
             of("auc-matched", model=TREE, attack=DIFF), 0.5, 0.05),
        *(
            Above(f"{model} gives away the record: above chance against matched records",
                  of("auc-matched", model=model, attack=DIFF), 0.5)
            for model in (GROWN, FOREST, LINEAR, NETWORK, "lightgbm")
        ),
        *(
            Near(f"{model}: those that stayed are as easy to tell apart as those never there, within .05",
                 of("auc-retained", model=model, attack=DIFF), of(model=model, attack=DIFF), 0.05)
            for model in (TREE, FOREST, LINEAR, NETWORK, "lightgbm")
        ),
    ),
)  # fmt: skip

NOISE = Experiment(
    "retraining-noise",
    "F2",
    "What of the leak is the record, and what do draws of retraining cover?",
    (
        *(
            Near(f"{model}: the order of records changes nothing, within .01",
                 of(model=model, attack=DIFF), of(unlearner=COMPACT, model=model, attack=DIFF), 0.01)
            for model in (TREE, FOREST, LINEAR)
        ),
        Greater("network: closing the gap covers some of it",
                of(model=NETWORK, attack=DIFF), of(unlearner=COMPACT, model=NETWORK, attack=DIFF)),
        Above("network: with the gap closed it still shows, above .6",
              of(unlearner=COMPACT, model=NETWORK, attack=DIFF), 0.6),
        *(
            Near(f"{model}, all drawn anew: within .05 of chance",
                 of(unlearner=ANEW, model=model, attack=DIFF), 0.5, 0.05)
            for model in (FOREST, NETWORK)
        ),
        Near("network, order drawn anew from the same weights: within .05 of chance",
             of(unlearner=REORDERED, model=NETWORK, attack=DIFF), 0.5, 0.05),
        *(
            Above(f"{model}, all drawn anew: still above .6", of(unlearner=ANEW, model=model, attack=DIFF), 0.6)
            for model in (TREE, LINEAR)
        ),
    ),
)  # fmt: skip

DEFENSES = Experiment(
    "defenses",
    "F3",
    "Leak against utility: what does each defense buy, and what does it cost?",
    (
        Near("label-only: sorted-diff within .05 of chance", of(defense="label-only", attack=DIFF), 0.5, 0.05),
        Greater("batches of ten hide more than no defense",
                of(attack=DIFF), of(defense="batched-release(size=10)", attack=DIFF)),
        Greater("dropout hides more than no defense", of(attack=DIFF), of(defense="dropout", attack=DIFF)),
        Greater("noise on the posteriors hides more than no defense",
                of(attack=DIFF), of(defense="posterior-noise", attack=DIFF)),
    ),
    frontier=True,
)  # fmt: skip
