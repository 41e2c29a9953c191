"""Our own plug-ins, offered through the same hooks as anyone's. Importing this imports none of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unlearnbench.hooks import hookimpl
from unlearnbench.hooks.records import (
    AttackPlugin,
    DatasetPlugin,
    DefensePlugin,
    ExecutorPlugin,
    MetricPlugin,
    ModelPlugin,
    ScenarioPlugin,
    UnlearnerPlugin,
)

_PACKAGE: Final = "unlearnbench.builtin"
_CHEN: Final = "Chen et al. 2021, arXiv 2005.02205"
_CARLINI: Final = "Carlini et al. 2022, arXiv 2112.03570"
_YEOM: Final = "Yeom et al. 2018, arXiv 1709.01604"
_JAGIELSKI: Final = "Jagielski et al. 2023, arXiv 2205.06369"


@hookimpl
def unlearnbench_datasets() -> Iterator[DatasetPlugin]:
    """Yield the data sets."""
    yield DatasetPlugin(
        name="adult",
        summary="Census income: does a person earn over 50,000 dollars a year",
        factory=f"{_PACKAGE}.datasets.adult:Adult",
        reference="Becker and Kohavi 1996, doi 10.24432/C5XW20",
        licence="CC BY 4.0",
    )
    yield DatasetPlugin(
        name="digits",
        summary="Handwritten digits, 8 by 8 pixels",
        factory=f"{_PACKAGE}.datasets.digits:Digits",
        reference="Alpaydin and Kaynak 1998, doi 10.24432/C50P49",
        licence="CC BY 4.0",
    )
    yield DatasetPlugin(
        name="breast-cancer",
        summary="Wisconsin diagnostic breast cancer: malignant or benign",
        factory=f"{_PACKAGE}.datasets.breast_cancer:BreastCancer",
        reference="Wolberg et al. 1993, doi 10.24432/C5DW2B",
        licence="CC BY 4.0",
    )
    yield DatasetPlugin(
        name="foursquare-nyc",
        summary="Check-ins in New York",
        factory=f"{_PACKAGE}.datasets.foursquare_nyc:FoursquareNyc",
        reference="Yang et al. 2015, doi 10.1109/TSMC.2014.2327053",
        licence="none stated",
    )
    yield DatasetPlugin(
        name="location30",
        summary="Places that people visited, in 30 clusters",
        factory=f"{_PACKAGE}.datasets.location30:Location30",
        reference="Shokri et al. 2017, arXiv 1610.05820",
        licence="none stated",
    )
    yield DatasetPlugin(
        name="us-accidents",
        summary="Car accidents in the United States by severity",
        factory=f"{_PACKAGE}.datasets.us_accidents:UsAccidents",
        reference="Moosavi et al. 2019, arXiv 1906.05409",
        licence="CC BY-NC-SA 4.0",
    )
    yield from _image_sets()
    yield from _sets_on_request()


def _image_sets() -> Iterator[DatasetPlugin]:
    """Yield the data sets of images."""
    yield DatasetPlugin(
        name="mnist",
        summary="Handwritten digits, 28 by 28 pixels",
        factory=f"{_PACKAGE}.datasets.mnist:Mnist",
        reference="LeCun et al. 1998, doi 10.1109/5.726791",
        licence="CC BY-SA 3.0",
    )
    yield DatasetPlugin(
        name="fashion-mnist",
        summary="Clothes, 28 by 28 pixels",
        factory=f"{_PACKAGE}.datasets.fashion_mnist:FashionMnist",
        reference="Xiao et al. 2017, arXiv 1708.07747",
        licence="MIT",
    )
    yield DatasetPlugin(
        name="cifar10",
        summary="Colour photographs, 32 by 32 pixels",
        factory=f"{_PACKAGE}.datasets.cifar10:Cifar10",
        reference="Krizhevsky 2009, Learning multiple layers of features from tiny images",
        licence="none stated",
    )
    yield DatasetPlugin(
        name="stl10",
        summary="Colour photographs, 96 by 96 pixels",
        factory=f"{_PACKAGE}.datasets.stl10:Stl10",
        reference="Coates et al. 2011, AISTATS",
        licence="none stated",
    )


def _sets_on_request() -> Iterator[DatasetPlugin]:
    """Yield the data sets that only their authors can give."""
    for city, name in (("Ny", "New York"), ("La", "Los Angeles")):
        yield DatasetPlugin(
            name=f"insta-{city.lower()}",
            summary=f"Check-ins in {name}, from a file of your own",
            factory=f"{_PACKAGE}.datasets.insta:Insta{city}",
            reference="Backes et al. 2017, doi 10.1145/3133956.3133972",
            licence="not public",
        )


@hookimpl
def unlearnbench_models() -> Iterator[ModelPlugin]:
    """Yield the target models."""
    yield ModelPlugin(
        name="logistic-regression",
        summary="Logistic regression",
        factory=f"{_PACKAGE}.models.logistic_regression:LogisticRegression",
    )
    yield ModelPlugin(
        name="decision-tree",
        summary="One decision tree (CART)",
        factory=f"{_PACKAGE}.models.decision_tree:DecisionTree",
    )
    yield ModelPlugin(
        name="random-forest",
        summary="A forest of decision trees",
        factory=f"{_PACKAGE}.models.random_forest:RandomForest",
        reference="Breiman 2001, doi 10.1023/A:1010933404324",
    )
    yield ModelPlugin(
        name="mlp",
        summary="A fully connected neural network",
        factory=f"{_PACKAGE}.models.mlp.model:MLP",
    )
    yield ModelPlugin(
        name="simple-cnn",
        summary="A small convolutional neural network with dropout, for images",
        factory=f"{_PACKAGE}.models.simple_cnn.model:SimpleCNN",
        reference=_CHEN,
    )
    yield ModelPlugin(
        name="lightgbm",
        summary="Gradient-boosted trees",
        factory=f"{_PACKAGE}.models.lightgbm:LightGBM",
        reference="Ke et al. 2017, NeurIPS 30",
    )


@hookimpl
def unlearnbench_unlearners() -> Iterator[UnlearnerPlugin]:
    """Yield the unlearning algorithms."""
    yield UnlearnerPlugin(
        name="retrain",
        summary="Train again on the retain set",
        factory=f"{_PACKAGE}.unlearners.retrain:Retrain",
        reference=_CHEN,
        exact=True,
    )
    yield UnlearnerPlugin(
        name="sisa",
        summary="One model per shard; a deletion retrains only the shard that holds the record",
        factory=f"{_PACKAGE}.unlearners.sisa:SISA",
        reference="Bourtoule et al. 2021, arXiv 1912.03817",
        exact=True,
    )
    yield UnlearnerPlugin(
        name="forest-exact",
        summary="Mends only the trees of a forest that held the record",
        factory=f"{_PACKAGE}.unlearners.forest_exact:ForestExact",
        reference="Brophy and Lowd 2021, arXiv 2009.05567",
        exact=True,
    )
    yield UnlearnerPlugin(
        name="none",
        summary="The original itself: nothing is unlearned",
        factory=f"{_PACKAGE}.unlearners.none:NoUnlearning",
        sees=(),
        control=True,
    )
    yield UnlearnerPlugin(
        name="random-noise",
        summary="A sham: the original with noise that no record caused",
        factory=f"{_PACKAGE}.unlearners.random_noise:RandomNoise",
        sees=(),
        control=True,
    )
    yield UnlearnerPlugin(
        name="noise-floor",
        summary="Trained again with the record named but not deleted",
        factory=f"{_PACKAGE}.unlearners.noise_floor:NoiseFloor",
        control=True,
    )


@hookimpl
def unlearnbench_scenarios() -> Iterator[ScenarioPlugin]:
    """Yield the scenarios."""
    yield ScenarioPlugin(
        name="single",
        summary="Each request deletes one record",
        factory=f"{_PACKAGE}.scenarios.single:Single",
        reference=_CHEN,
    )
    yield ScenarioPlugin(
        name="group",
        summary="Each request deletes several records together",
        factory=f"{_PACKAGE}.scenarios.group:Group",
        reference=_CHEN,
    )
    yield ScenarioPlugin(
        name="online",
        summary="Each request deletes some records and adds others",
        factory=f"{_PACKAGE}.scenarios.online:Online",
        reference=_CHEN,
    )
    yield ScenarioPlugin(
        name="sequence",
        summary="Each request deletes records step by step, over several versions",
        factory=f"{_PACKAGE}.scenarios.sequence:Sequence",
        reference=_CHEN,
    )
    yield ScenarioPlugin(
        name="retained",
        summary="Records that stayed against records that never were there",
        factory=f"{_PACKAGE}.scenarios.retained:Retained",
        reference=_CHEN,
    )


@hookimpl
def unlearnbench_defenses() -> Iterator[DefensePlugin]:
    """Yield the defenses."""
    yield DefensePlugin(
        name="none",
        summary="The posteriors as they are",
        factory=f"{_PACKAGE}.defenses.none:NoDefense",
    )
    yield DefensePlugin(
        name="top-k",
        summary="Only the k largest posteriors",
        factory=f"{_PACKAGE}.defenses.top_k:TopK",
        reference=_CHEN,
    )
    yield DefensePlugin(
        name="label-only",
        summary="Only the predicted label",
        factory=f"{_PACKAGE}.defenses.label_only:LabelOnly",
        reference=_CHEN,
    )
    yield DefensePlugin(
        name="temperature",
        summary="Posteriors flattened by a temperature",
        factory=f"{_PACKAGE}.defenses.temperature:Temperature",
        reference=_CHEN,
    )
    yield DefensePlugin(
        name="posterior-noise",
        summary="Posteriors with noise of their own for every model and record",
        factory=f"{_PACKAGE}.defenses.posterior_noise:PosteriorNoise",
    )
    yield DefensePlugin(
        name="dp-sgd",
        summary="Differentially private training",
        factory=f"{_PACKAGE}.defenses.dp_sgd:DPTraining",
        reference="Abadi et al. 2016, arXiv 1607.00133",
        stage="training",
    )
    yield DefensePlugin(
        name="dropout",
        summary="Hidden units left out at random in training",
        factory=f"{_PACKAGE}.defenses.dropout:Dropout",
        reference="Fu et al. 2026, arXiv 2605.01129",
        stage="training",
    )
    yield DefensePlugin(
        name="batched-release",
        summary="One model published for several deletions",
        factory=f"{_PACKAGE}.defenses.batched_release:BatchedRelease",
        stage="publication",
    )


@hookimpl
def unlearnbench_attacks() -> Iterator[AttackPlugin]:
    """Yield the attacks: those of Chen et al., those by score, and the controls."""
    yield from _attacks_on_features()
    yield from _attacks_by_score()
    yield from _control_attacks()


def _attacks_on_features() -> Iterator[AttackPlugin]:
    """Yield the attacks that learn from both posteriors, by how these are put together, and their baseline."""
    for name, factory, summary in (
        ("direct-concat", "direct_concat:DirectConcat", "Learns from both posteriors, side by side"),
        (
            "sorted-concat",
            "sorted_concat:SortedConcat",
            "Learns from both posteriors, classes sorted as the original ranks them",
        ),
        ("direct-diff", "direct_diff:DirectDiff", "Learns from the difference of the posteriors"),
        (
            "sorted-diff",
            "sorted_diff:SortedDiff",
            "Learns from the difference of the posteriors, classes sorted as the original ranks them",
        ),
        ("euclidean", "euclidean:Euclidean", "Learns from the Euclidean distance between the posteriors"),
    ):
        yield AttackPlugin(name=name, summary=summary, factory=f"{_PACKAGE}.attacks.{factory}", reference=_CHEN)
    yield AttackPlugin(
        name="ensemble",
        summary="Learns from all these features together",
        factory=f"{_PACKAGE}.attacks.ensemble:Ensemble",
        reference="arXiv 2506.06112",
    )
    yield AttackPlugin(
        name="classical",
        summary="Membership inference on the original alone: the baseline",
        factory=f"{_PACKAGE}.attacks.classical:Classical",
        reference="Salem et al. 2019, arXiv 1806.01246",
        versions="original",
    )


def _attacks_by_score() -> Iterator[AttackPlugin]:
    """Yield the attacks that are a formula of the true class's posterior."""
    yield AttackPlugin(
        name="score-diff",
        summary="How much the score of the true class falls",
        factory=f"{_PACKAGE}.attacks.score_diff:ScoreDiff",
        reference=_JAGIELSKI,
        label=True,
    )
    yield AttackPlugin(
        name="delta",
        summary="How much the score of the true class falls where it falls most, over all versions",
        factory=f"{_PACKAGE}.attacks.delta:Delta",
        reference=_JAGIELSKI,
        label=True,
    )
    yield AttackPlugin(
        name="score-ratio",
        summary="By which factor the score of the true class falls",
        factory=f"{_PACKAGE}.attacks.score_ratio:ScoreRatio",
        reference=_JAGIELSKI,
        label=True,
    )
    yield AttackPlugin(
        name="forgetting",
        summary="Sees the unlearned model only: is the record forgotten",
        factory=f"{_PACKAGE}.attacks.forgetting:Forgetting",
        reference=_YEOM,
        versions="unlearned",
        label=True,
    )


def _control_attacks() -> Iterator[AttackPlugin]:
    """Yield what the others are judged by: chance, the features alone, and the truth."""
    yield AttackPlugin(
        name="random",
        summary="Guesses",
        factory=f"{_PACKAGE}.attacks.random:Random",
        versions="none",
        control=True,
    )
    yield AttackPlugin(
        name="blind",
        summary="Reads the record itself and asks no model: above chance, the negatives give themselves away",
        factory=f"{_PACKAGE}.attacks.blind:Blind",
        reference="Das et al. 2024, arXiv 2406.16201",
        versions="none",
        label=True,
        features=True,
        control=True,
    )
    yield AttackPlugin(
        name="oracle-label",
        summary="Is told the answer",
        factory=f"{_PACKAGE}.attacks.oracle_label:OracleLabel",
        versions="none",
        control=True,
    )


@hookimpl
def unlearnbench_metrics() -> Iterator[MetricPlugin]:
    """Yield the metrics."""
    for name, factory, summary, reference in (
        ("auc", "auc:Auc", "Area under the ROC curve", ""),
        ("tpr-at-fpr", "tpr_at_fpr:TprAtFpr", "True-positive rate at low false-positive rates", _CARLINI),
        ("advantage", "advantage:Advantage", "Largest gap between true- and false-positive rate", _YEOM),
        (
            "precision-at-prior",
            "precision_at_prior:PrecisionAtPrior",
            "Share of accusations that are right where few records are deleted",
            "Jayaraman et al. 2021, arXiv 2005.10881",
        ),
        ("deg-count", "deg_count:DegCount", "Share of records that deletion made easier to infer", _CHEN),
        ("deg-rate", "deg_rate:DegRate", "How much confidence deletion adds over the classical attack", _CHEN),
        (
            "identical-posteriors",
            "identical_posteriors:IdenticalPosteriors",
            "Share of records that both models answer alike",
            "",
        ),
        ("utility", "utility:Utility", "Accuracy before and after, and the time that unlearning takes", ""),
        (
            "epsilon",
            "epsilon:Epsilon",
            "What the original spent of differential privacy",
            "Abadi et al. 2016, arXiv 1607.00133",
        ),
    ):
        yield MetricPlugin(name=name, summary=summary, factory=f"{_PACKAGE}.metrics.{factory}", reference=reference)


@hookimpl
def unlearnbench_executors() -> Iterator[ExecutorPlugin]:
    """Yield the executors."""
    yield ExecutorPlugin(
        name="serial",
        summary="One piece of work after the other, in this process",
        factory="unlearnbench.run.executors.serial:SerialExecutor",
    )
    yield ExecutorPlugin(
        name="processes",
        summary="Several worker processes on this machine",
        factory="unlearnbench.run.executors.processes:ProcessExecutor",
    )
