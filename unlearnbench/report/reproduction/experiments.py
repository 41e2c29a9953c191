"""The experiments of the paper: one suite each, what it is expected to show, and how it is drawn.

Expectations are the paper's in direction only: its own numbers could not be checked. Numbers named here were measured
with the authors' code, made to run, and stand where ours should come near them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unlearnbench.core.errors import UserError, did_you_mean
from unlearnbench.report.reproduction.claims import Above, Claim, Falls, Greater, Near, Of, Rises, of

TREE, GROWN = "decision-tree", "decision-tree(max_leaf_nodes=null)"
LINEAR, NETWORK = "logistic-regression", "mlp(hidden=[64,32])"
DIFF, EUCLIDEAN, CLASSICAL = "sorted-diff", "euclidean", "classical"


@dataclass(frozen=True)
class Curve:
    """AUC along a parameter: ``points`` are its values and the labels that go with each, ``series`` the lines."""

    parameter: str
    points: Mapping[float, Mapping[str, str]]
    series: Mapping[str, Mapping[str, str]]
    log: bool = True


@dataclass(frozen=True)
class Experiment:
    """One experiment. ``number`` is its place in the paper's order; ``suite`` the standard suite that runs it.

    ``curve`` says how it is drawn, if along a parameter; ``frontier`` that it is leak against utility.
    """

    name: str
    number: str
    question: str
    claims: tuple[Claim, ...]
    curve: Curve | None = None
    frontier: bool = False

    @property
    def suite(self) -> str:
        """The name of its suite."""
        return f"paper/{self.name}"


def _attacks(**labels: str) -> dict[str, Mapping[str, str]]:
    """Return the lines of a plot that compares the attack with the classical one."""
    return {attack: {"attack": attack, **labels} for attack in (DIFF, EUCLIDEAN, CLASSICAL)}


def _along(axis: str, labels: Mapping[float, str]) -> dict[float, Mapping[str, str]]:
    return {value: {axis: label} for value, label in labels.items()}


def _each(axis: str, labels: Mapping[float, str], metric: str = "auc", **fixed: str) -> tuple[Of, ...]:
    return tuple(of(metric, **fixed, **{axis: label}) for label in labels.values())


GROUPS: dict[float, str] = {1: "single", **{k: f"group(size={k})" for k in (2, 5, 10, 20)}}
LEAVES: dict[float, str] = {10: TREE, **{k: f"decision-tree(max_leaf_nodes={k})" for k in (50, 200)}}
SHADOWS: dict[float, str] = {k: "1 shadow" if k == 1 else f"{k} shadows" for k in (1, 2, 5, 10, 20)}
SHARDS: dict[float, str] = {1: "retrain", 2: "sisa(shards=2)", 5: "sisa(shards=5)", 10: "sisa", 20: "sisa(shards=20)"}
HEAT: dict[float, str] = {
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

END_TO_END = Experiment(
    "end-to-end",
    "E1",
    "Does deleting a record give it away where the original alone does not?",
    (
        Near("tree: sorted-diff within .05 of .872, measured with the authors' code",
             of(dataset="adult", model=TREE, attack=DIFF), 0.872, 0.05),
        Near("tree: the classical attack within .05 of chance",
             of(dataset="adult", model=TREE, attack=CLASSICAL), 0.5, 0.05),
        *(
            Greater(f"{data}, {model}: more than the classical attack",
                    of(dataset=data, model=model, attack=DIFF), of(dataset=data, model=model, attack=CLASSICAL))
            for data in ("adult", "digits")
            for model in (TREE, LINEAR, "random-forest(n_estimators=100)", NETWORK)
        ),
        Near("tree: what is found is the region, not the record: within .05 of chance against matched negatives",
             of("auc-matched", dataset="adult", model=TREE, attack=DIFF), 0.5, 0.05),
    ),
)  # fmt: skip

FEATURES = Experiment(
    "features",
    "E2",
    "Which way of putting both posteriors together finds most?",
    (
        Greater("a small tree: the sorted difference beats the sorted concatenation",
                of(model=TREE, attack=DIFF), of(model=TREE, attack="sorted-concat")),
        Greater("a fully grown tree: the concatenation beats the difference",
                of(model=GROWN, attack="direct-concat"), of(model=GROWN, attack="direct-diff")),
        Near("sorting changes little on two classes: within .03 of the unsorted difference",
             of(model=TREE, attack=DIFF), of(model=TREE, attack="direct-diff"), 0.03),
    ),
)  # fmt: skip

OVERFITTING = Experiment(
    "overfitting",
    "E3",
    "Does the attack need an overfitted model, as the classical one does?",
    (
        Above("a tree of 10 leaves, hardly overfitted: sorted-diff above .6", of(model=TREE, attack=DIFF), 0.6),
        Rises("networks: the classical attack rises with training", _each("model", EPOCHS, attack=CLASSICAL)),
        Falls("trees: sorted-diff falls with leaves",
              (*_each("model", LEAVES, attack=DIFF), of(model=GROWN, attack=DIFF))),
    ),
    Curve("leaves of the tree", _along("model", LEAVES), _attacks()),
)  # fmt: skip

SHADOW_COUNT = Experiment(
    "shadow-count",
    "E4",
    "How many shadow originals does the adversary need?",
    (
        Near("one is enough for the distance: 1 within .05 of 20",
             of(dataset=SHADOWS[1], attack=EUCLIDEAN), of(dataset=SHADOWS[20], attack=EUCLIDEAN), 0.05),
        Near("flat after few: sorted-diff with 5 within .05 of 20",
             of(dataset=SHADOWS[5], attack=DIFF), of(dataset=SHADOWS[20], attack=DIFF), 0.05),
    ),
    Curve("shadow originals", _along("dataset", SHADOWS), _attacks()),
)  # fmt: skip

ATTACK_MODEL = Experiment(
    "attack-model",
    "E4b",
    "Does the kind of attack model matter?",
    (
        Greater("signed differences: a tree beats a linear attack model",
                of(attack=DIFF), of(attack="sorted-diff(model=logistic-regression)")),
        Near("the distance: linear within .02 of the tree",
             of(attack=EUCLIDEAN), of(attack="euclidean(model=logistic-regression)"), 0.02),
    ),
)  # fmt: skip

TRANSFER_MODEL = Experiment(
    "transfer-model",
    "E5",
    "May the shadow models be of another kind than the target?",
    tuple(
        claim
        for target, others in ((TREE, (LINEAR, NETWORK)), (LINEAR, (TREE, NETWORK)))
        for other in others
        for claim in (
            Above(f"{target}, shadow {other}: euclidean still above .6",
                  of(model=f"{target}, shadow {other}", attack=EUCLIDEAN), 0.6),
            Greater(f"{target}: shadow models of its own kind are at least as good as {other}, less .01",
                    of(model=target, attack=DIFF), of(model=f"{target}, shadow {other}", attack=DIFF), -0.01),
        )
    ),
)  # fmt: skip

SISA_SHARDS = Experiment(
    "sisa-shards",
    "E6",
    "Does sharding protect the deleted record?",
    (
        Falls("sorted-diff falls with shards", _each("unlearner", SHARDS, attack=DIFF)),
        *(
            Greater(f"retraining leaks more than {label}", of(attack=DIFF), of(unlearner=label, attack=DIFF))
            for label in list(SHARDS.values())[1:]
        ),
    ),
    Curve("shards", _along("unlearner", SHARDS), _attacks()),
)

GROUP = Experiment(
    "group",
    "E8",
    "Do records that are deleted together hide one another?",
    tuple(
        Falls(f"{model}: {attack} falls with the size of the group",
              _each("scenario", GROUPS, model=model, attack=attack))
        for model in (TREE, LINEAR)
        for attack in (DIFF, EUCLIDEAN)
    ),
    Curve("records deleted together", _along("scenario", GROUPS), _attacks(model=TREE)),
)  # fmt: skip

TOP_K = Experiment(
    "top-k",
    "E11",
    "Does releasing only the largest posteriors help?",
    tuple(
        Above(f"{model}, 3 of 10 classes: euclidean stays above .6",
              of(model=model, defense="top-k", attack=EUCLIDEAN), 0.6)
        for model in (TREE, LINEAR)
    ),
)  # fmt: skip

LABEL_ONLY = Experiment(
    "label-only",
    "E12",
    "Does releasing only the label help?",
    tuple(
        Near(f"{model}: {attack} within .05 of chance", of(model=model, defense="label-only", attack=attack), 0.5, 0.05)
        for model in (TREE, LINEAR)
        for attack in (DIFF, EUCLIDEAN)
    ),
)

TEMPERATURE = Experiment(
    "temperature",
    "E13",
    "Do flattened posteriors help?",
    tuple(
        Falls(f"{model}: {attack} falls as the temperature rises", _each("defense", HEAT, model=model, attack=attack))
        for model in (TREE, LINEAR)
        for attack in (DIFF, EUCLIDEAN)
    ),
    Curve("temperature", _along("defense", HEAT), _attacks(model=LINEAR)),
)

DP = Experiment(
    "dp",
    "E14",
    "Does differentially private training help, and what does it cost?",
    (
        Near("noise 1.2: sorted-diff within .05 of chance", of(defense="dp-sgd", attack=DIFF), 0.5, 0.05),
        Greater("noise 1.2 costs accuracy",
                of("test-accuracy-original", attack=DIFF), of("test-accuracy-original", defense="dp-sgd", attack=DIFF)),
        Falls("epsilon falls with noise", _each("defense", NOISE, metric="epsilon", attack=DIFF)),
    ),
    Curve("noise multiplier", _along("defense", NOISE), _attacks()),
)  # fmt: skip

DEFENSES = Experiment(
    "defenses",
    "new",
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

EXPERIMENTS = (
    END_TO_END,
    FEATURES,
    OVERFITTING,
    SHADOW_COUNT,
    ATTACK_MODEL,
    TRANSFER_MODEL,
    SISA_SHARDS,
    GROUP,
    TOP_K,
    LABEL_ONLY,
    TEMPERATURE,
    DP,
    DEFENSES,
)


def experiment_named(name: str) -> Experiment:
    """Return the experiment of that name or number; :class:`UserError` for none."""
    for experiment in EXPERIMENTS:
        if name in (experiment.name, experiment.number):
            return experiment
    known = [experiment.name for experiment in EXPERIMENTS]
    raise UserError(f"unknown experiment {name!r}{did_you_mean(name, known)}")
