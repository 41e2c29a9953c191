"""The experiments of Chen et al. (CCS 2021): one suite each, in the order of the paper.

The claims are those of the paper in direction only, because its numbers could not be checked. Where a claim names a
number, it was measured with the authors' code, after it was made to run.
"""

from __future__ import annotations

from unlearnbench.core.messages import counted
from unlearnbench.reproduction.claims import Above, Falls, Greater, Near, Rises, row
from unlearnbench.reproduction.experiment import (
    CLASSICAL,
    DIFF,
    EUCLIDEAN,
    GROWN,
    LINEAR,
    NETWORK,
    TREE,
    Experiment,
    ParameterCurve,
    attack_lines,
    points_along,
    rows_along,
)

GROUPS: dict[float, str] = {
    1: "single",
    2: "group(size=2)",
    5: "group(size=5)",
    10: "group",
    20: "group(size=20)",
}
LEAVES: dict[float, str] = {10: TREE, **{k: f"decision-tree(max_leaf_nodes={k})" for k in (50, 200)}}
SHADOWS: dict[float, str] = {k: counted(k, "shadow") for k in (1, 2, 5, 10, 20)}
SHARDS: dict[float, str] = {1: "retrain", 2: "sisa(shards=2)", 5: "sisa(shards=5)", 10: "sisa", 20: "sisa(shards=20)"}
TEMPERATURES: dict[float, str] = {
    1: "none",
    2: "temperature",
    10: "temperature(temperature=10.0)",
    100: "temperature(temperature=100.0)",
}
NOISE: dict[float, str] = {0.5: "dp-sgd(noise_multiplier=0.5)", 1.2: "dp-sgd", 4.0: "dp-sgd(noise_multiplier=4.0)"}
EPOCHS: dict[float, str] = {
    1: "mlp(epochs=1, hidden=[64,32])",
    10: NETWORK,
    50: "mlp(epochs=50, hidden=[64,32])",
}

WEST, EAST = "foursquare-nyc(part=west)", "foursquare-nyc(part=east)"
ALL: dict[float, str] = {k: f"sequence(versions={k})" for k in (2, 5, 10)}
LAST: dict[float, str] = {1: "single", **{k: f"sequence(sees=last, versions={k})" for k in (2, 5, 10)}}
ONE_ONE, ONE_TEN, TEN_TEN = "online", "online(add=10)", "online(add=10, delete=10)"

END_TO_END = Experiment(
    "end-to-end",
    "E1",
    "Does the deletion of a record reveal it where the original model alone does not?",
    (
        Near("tree: sorted-diff within .05 of .872, measured with the authors' code",
             row(dataset="adult", model=TREE, attack=DIFF), 0.872, 0.05),
        Near("tree: the classical attack within .05 of chance",
             row(dataset="adult", model=TREE, attack=CLASSICAL), 0.5, 0.05),
        *(
            Greater(f"{data}, {model}: more than the classical attack",
                    row(dataset=data, model=model, attack=DIFF), row(dataset=data, model=model, attack=CLASSICAL))
            for data in ("adult", "digits")
            for model in (TREE, LINEAR, "random-forest(n_estimators=100)", NETWORK)
        ),
        Near("tree: the attack finds the region, not the record: within .05 of chance against matched records",
             row("auc-matched", dataset="adult", model=TREE, attack=DIFF), 0.5, 0.05),
    ),
)  # fmt: skip

MORE_DATA = Experiment(
    "more-data",
    "E1a",
    "Is it the same on other data, with two to thirty classes?",
    tuple(
        Greater(f"{data}, {model}: more than the classical attack",
                row(dataset=data, model=model, attack=DIFF), row(dataset=data, model=model, attack=CLASSICAL))
        for data, models in {
            "us-accidents": (TREE, LINEAR, NETWORK),
            "us-accidents(severities=4)": (TREE, LINEAR, NETWORK),
            "foursquare-nyc": (TREE, LINEAR, NETWORK),
            "location30": (TREE, NETWORK),
        }.items()
        for model in models
    ),
)  # fmt: skip

IMAGES = Experiment(
    "images",
    "E1b",
    "Is it the same on images? (a small network, 5 originals of 500 images with 5 deletions each, 3 seeds)",
    tuple(
        Greater(f"{data}: more than the classical attack",
                row(dataset=data, attack=DIFF), row(dataset=data, attack=CLASSICAL))
        for data in ("mnist", "cifar10(version=first4000)")
    ),
)  # fmt: skip

FEATURES = Experiment(
    "features",
    "E2",
    "Which combination of both posteriors finds most deletions?",
    (
        Greater("a small tree: the sorted difference beats the sorted concatenation",
                row(model=TREE, attack=DIFF), row(model=TREE, attack="sorted-concat")),
        Greater("a fully grown tree: the concatenation beats the difference",
                row(model=GROWN, attack="direct-concat"), row(model=GROWN, attack="direct-diff")),
        Near("sorting changes little on two classes: within .03 of the unsorted difference",
             row(model=TREE, attack=DIFF), row(model=TREE, attack="direct-diff"), 0.03),
    ),
)  # fmt: skip

OVERFITTING = Experiment(
    "overfitting",
    "E3",
    "Does the attack need an overfitted model, as the classical one does?",
    (
        Above("a tree of 10 leaves, hardly overfitted: sorted-diff above .6", row(model=TREE, attack=DIFF), 0.6),
        *(
            Greater(f"{model}: sorted-diff finds more than the classical attack, overfitted or not",
                    row(model=model, attack=DIFF), row(model=model, attack=CLASSICAL))
            for model in (*LEAVES.values(), GROWN, *EPOCHS.values())
        ),
        Rises("networks: the classical attack rises with training", rows_along("model", EPOCHS, attack=CLASSICAL)),
        Falls("trees: sorted-diff falls with leaves",
              (*rows_along("model", LEAVES, attack=DIFF), row(model=GROWN, attack=DIFF))),
    ),
    ParameterCurve("leaves of the tree", points_along("model", LEAVES), attack_lines()),
)  # fmt: skip

SHADOW_COUNT = Experiment(
    "shadow-count",
    "E4",
    "How many shadow originals does the adversary need?",
    (
        Near("one is enough for the distance: 1 within .05 of 20",
             row(dataset=SHADOWS[1], attack=EUCLIDEAN), row(dataset=SHADOWS[20], attack=EUCLIDEAN), 0.05),
        Near("flat after few: sorted-diff with 5 within .05 of 20",
             row(dataset=SHADOWS[5], attack=DIFF), row(dataset=SHADOWS[20], attack=DIFF), 0.05),
    ),
    ParameterCurve("shadow originals", points_along("dataset", SHADOWS), attack_lines()),
)  # fmt: skip

ATTACK_MODEL = Experiment(
    "attack-model",
    "E4b",
    "Does the kind of attack model matter?",
    (
        Greater("signed differences: a tree beats a linear attack model",
                row(attack=DIFF), row(attack="sorted-diff(model=logistic-regression)")),
        Near("the distance: linear within .02 of the tree",
             row(attack=EUCLIDEAN), row(attack="euclidean(model=logistic-regression)"), 0.02),
    ),
)  # fmt: skip

TRANSFER_MODEL = Experiment(
    "transfer-model",
    "E5b",
    "Does the attack work with shadow models of another kind than the target?",
    tuple(
        claim
        for target, others in ((TREE, (LINEAR, NETWORK)), (LINEAR, (TREE, NETWORK)))
        for other in others
        for claim in (
            Above(f"{target}, shadow {other}: euclidean still above .6",
                  row(model=f"{target}, shadow {other}", attack=EUCLIDEAN), 0.6),
            Greater(f"{target}: shadow models of its own kind are at least as good as {other}, less .01",
                    row(model=target, attack=DIFF), row(model=f"{target}, shadow {other}", attack=DIFF), -0.01),
        )
    ),
)  # fmt: skip

TRANSFER_DATA = Experiment(
    "transfer-data",
    "E5a",
    "Does the attack work with shadow models that are trained on other data?",
    tuple(
        claim
        for own, other in ((WEST, EAST), (EAST, WEST))
        for model in (TREE, LINEAR)
        for claim in (
            Greater(f"{model}: shadow models of other data lose less than .1 on {own}",
                    row(dataset=f"{own}, shadow {other}", model=model, attack=DIFF),
                    row(dataset=own, model=model, attack=DIFF), -0.1),
            Greater(f"{model}: more than the classical attack on {own}, with shadow models of other data",
                    row(dataset=f"{own}, shadow {other}", model=model, attack=DIFF),
                    row(dataset=f"{own}, shadow {other}", model=model, attack=CLASSICAL)),
        )
    ),
)  # fmt: skip

SISA_SHARDS = Experiment(
    "sisa-shards",
    "E6",
    "Does sharding protect the deleted record?",
    (
        Falls("sorted-diff falls with shards", rows_along("unlearner", SHARDS, attack=DIFF)),
        *(
            Greater(f"retraining leaks more than {label}", row(attack=DIFF), row(unlearner=label, attack=DIFF))
            for label in list(SHARDS.values())[1:]
        ),
    ),
    ParameterCurve("shards", points_along("unlearner", SHARDS), attack_lines()),
)

VERSIONS = Experiment(
    "versions",
    "E7",
    "Do intermediate versions hide a deletion or reveal it?",
    tuple(
        claim
        for model in (TREE, LINEAR)
        for claim in (
            Falls(f"{model}, only the last version seen: sorted-diff falls with their number",
                  rows_along("scenario", LAST, model=model, attack=DIFF)),
            *(
                Greater(f"{model}, {number} versions: delta finds more on all of them than on the last",
                        row(scenario=ALL[number], model=model, attack="delta"),
                        row(scenario=LAST[number], model=model, attack="delta"))
                for number in (2, 5, 10)
            ),
        )
    ),
    ParameterCurve("versions", points_along("scenario", LAST), attack_lines(model=TREE)),
)  # fmt: skip

GROUP = Experiment(
    "group",
    "E8",
    "Do records that are deleted together hide one another?",
    tuple(
        Falls(f"{model}: {attack} falls with the size of the group",
              rows_along("scenario", GROUPS, model=model, attack=attack))
        for model in (TREE, LINEAR)
        for attack in (DIFF, EUCLIDEAN)
    ),
    ParameterCurve("records deleted together", points_along("scenario", GROUPS), attack_lines(model=TREE)),
)  # fmt: skip

ONLINE = Experiment(
    "online",
    "E9",
    "Do records that are added in the same step hide the deleted ones?",
    tuple(
        claim
        for model in (TREE, LINEAR)
        for claim in (
            Greater(f"{model}: adding one record and deleting one leaks less than deleting one",
                    row(model=model, attack=DIFF), row(scenario=ONE_ONE, model=model, attack=DIFF)),
            Greater(f"{model}: adding one record and deleting one leaks more than the classical attack finds",
                    row(scenario=ONE_ONE, model=model, attack=DIFF),
                    row(scenario=ONE_ONE, model=model, attack=CLASSICAL)),
            Greater(f"{model}: ten added records hide a deletion better than one added record",
                    row(scenario=ONE_ONE, model=model, attack=DIFF), row(scenario=ONE_TEN, model=model, attack=DIFF)),
            Greater(f"{model}: adding ten records and deleting ten leaks less than deleting ten",
                    row(scenario="group", model=model, attack=DIFF),
                    row(scenario=TEN_TEN, model=model, attack=DIFF)),
        )
    ),
)  # fmt: skip

RETAINED = Experiment(
    "retained",
    "E10",
    "Does a deletion reveal the records that stay?",
    tuple(
        Near(f"{model}: {attack} finds retained records no better than the classical attack, within .05",
             row(scenario="retained", model=model, attack=attack),
             row(scenario="retained", model=model, attack=CLASSICAL), 0.05)
        for model in (TREE, LINEAR)
        for attack in (DIFF, EUCLIDEAN)
    ),
)  # fmt: skip

TOP_K = Experiment(
    "top-k",
    "E11",
    "Does releasing only the largest posteriors help?",
    tuple(
        Above(f"{model}, 3 of 10 classes: euclidean stays above .6",
              row(model=model, defense="top-k", attack=EUCLIDEAN), 0.6)
        for model in (TREE, LINEAR)
    ),
)  # fmt: skip

LABEL_ONLY = Experiment(
    "label-only",
    "E12",
    "Does releasing only the label help?",
    tuple(
        Near(
            f"{model}: {attack} within .05 of chance", row(model=model, defense="label-only", attack=attack), 0.5, 0.05
        )
        for model in (TREE, LINEAR)
        for attack in (DIFF, EUCLIDEAN)
    ),
)

TEMPERATURE = Experiment(
    "temperature",
    "E13",
    "Do flattened posteriors help?",
    tuple(
        Falls(
            f"{model}: {attack} falls as the temperature rises",
            rows_along("defense", TEMPERATURES, model=model, attack=attack),
        )
        for model in (TREE, LINEAR)
        for attack in (DIFF, EUCLIDEAN)
    ),
    ParameterCurve("temperature", points_along("defense", TEMPERATURES), attack_lines(model=LINEAR)),
)

DP = Experiment(
    "dp",
    "E14",
    "Does differentially private training help, and what does it cost?",
    (
        Near("noise 1.2: sorted-diff within .05 of chance", row(defense="dp-sgd", attack=DIFF), 0.5, 0.05),
        Greater("noise 1.2 costs accuracy",
                row("test-accuracy-original", attack=DIFF),
                row("test-accuracy-original", defense="dp-sgd", attack=DIFF)),
        Falls("epsilon falls with noise", rows_along("defense", NOISE, metric="epsilon", attack=DIFF)),
    ),
    ParameterCurve("noise multiplier", points_along("defense", NOISE), attack_lines()),
)  # fmt: skip
