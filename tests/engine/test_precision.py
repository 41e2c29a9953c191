"""Numbers at the ends of what a precision holds: both engines of a model refuse them alike, or answer alike."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from unlearnbench.builtin.models.decision_tree import DecisionTree
from unlearnbench.builtin.models.lightgbm import LightGBM
from unlearnbench.builtin.models.logistic_regression import LogisticRegression
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.builtin.models.random_forest import RandomForest
from unlearnbench.builtin.models.simple_cnn.model import SimpleCNN
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, Fitted, Seeds, TargetModel
from unlearnbench.core.options import TrainingOptions
from unlearnbench.core.records import Provenance, Records, TrainingSet
from unlearnbench.engine.precision import in_float32
from unlearnbench.engine.scaling import FARTHEST, Standardizer

Floats = NDArray[np.float64]
LARGEST = float(np.finfo(np.float32).max)
TINY = float(np.finfo(np.float32).smallest_subnormal)

TREES: dict[str, TargetModel] = {
    "tree": DecisionTree(),
    "tree, fully grown": DecisionTree(max_leaf_nodes=None),
    "forest": RandomForest(n_estimators=3, min_samples_leaf=1),
}
SCALED: dict[str, TargetModel] = {
    "logistic regression": LogisticRegression(),
    "mlp": MLP(hidden=(4,), epochs=1),
    "mlp, refit": MLP(hidden=(4,), epochs=1, scaler="refit"),
}
REFUSING = {**TREES, "forest, redrawn": RandomForest(n_estimators=3, draws="redrawn"), **SCALED}


@dataclass(frozen=True)
class Both:
    """What the two engines of a model do with the same records: answers, or the text of a refusal."""

    reference: Floats | str
    fast: Floats | str

    @property
    def agree(self) -> bool:
        if isinstance(self.reference, str) or isinstance(self.fast, str):
            return bool(self.reference == self.fast)
        return bool(np.allclose(self.reference, self.fast, rtol=0, atol=1e-4))


def answers(train: Callable[[], Fitted], x: Floats) -> Floats | str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            # scikit-learn adds all numbers up, to look for infinite ones.
            warnings.filterwarnings("ignore", "(overflow|invalid value) encountered in reduce", RuntimeWarning)
            found = train().log_posteriors(x)
    except UserError as error:
        return str(error)
    assert np.isfinite(found).all()
    return found


def by_both(model: TargetModel, x: Floats, y: NDArray[np.int64], asked: Floats) -> Both:
    data = TrainingSet.of(Records("r", x, y, 2, Provenance("", "")), np.arange(len(x)))
    task = FitTask(data, Seeds(1, 2, 3))
    return Both(
        answers(lambda: model.fit(task, "cpu"), asked), answers(lambda: model.fit_many([task], "cpu")[0], asked)
    )


AT_THE_ENDS = (0.0, TINY, TINY / 3, 5e-324, 1e-30, LARGEST, np.nextafter(LARGEST, np.inf), 1e39, 1e50, 1e308)
NEARLY_EQUAL = (1.0, 1 + 1e-12, 1 + 1e-7, 1 + 2e-7, 1e-7, 2e-7, LARGEST * (1 + 2**-25), LARGEST * (1 + 2**-24))
EXTREMES = st.sampled_from([*AT_THE_ENDS, *NEARLY_EQUAL, float(np.finfo(np.float64).max)])
NUMBERS = st.one_of(
    EXTREMES, EXTREMES.map(float.__neg__), st.floats(allow_nan=False, allow_infinity=False), st.floats(-2, 2)
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[Floats, NDArray[np.int64], Floats]:
    """One feature of 8 to 24 records, their labels, and 5 records to ask about: no two features can tie."""
    n = draw(st.integers(8, 24))
    pool = draw(st.lists(NUMBERS, min_size=2, max_size=6))
    column, asked = (np.array(draw(st.lists(st.sampled_from(pool), min_size=k, max_size=k))) for k in (n, 5))
    label = np.array(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)), dtype=np.int64)
    return column[:, np.newaxis], label, asked[:, np.newaxis]


@pytest.mark.parametrize("model", TREES.values(), ids=TREES.keys())
@given(table=tables())
@settings(max_examples=200, deadline=None)
def test_both_engines_of_trees_refuse_the_same_numbers_and_answer_alike(
    model: TargetModel, table: tuple[Floats, NDArray[np.int64], Floats]
) -> None:
    both = by_both(model, *table)
    assert both.agree, both


@pytest.mark.parametrize("model", SCALED.values(), ids=SCALED.keys())
@given(table=tables())
@settings(max_examples=60, deadline=None)
def test_both_engines_of_scaled_models_refuse_the_same_numbers_and_answer_with_finite_ones(
    model: TargetModel, table: tuple[Floats, NDArray[np.int64], Floats]
) -> None:
    both = by_both(model, *table)
    assert both.agree, both


@pytest.mark.parametrize("model", REFUSING.values(), ids=REFUSING.keys())
@pytest.mark.parametrize(("row", "value"), [(3, -1e200), (12, 1e60)])
def test_a_number_that_is_too_large_is_refused_by_feature_and_value(model: TargetModel, row: int, value: float) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), np.arange(20) % 2
    x[row, 1] = value
    both = by_both(model, x[:10], y[:10], x)  # row 3 is learned from, row 12 is only asked about
    assert both.agree
    assert str(both.fast).startswith(f"feature 1 is {value:g}, too ")
    assert str(both.fast).endswith("; rescale the feature, or code missing values by a smaller number")


def test_dropout_in_stacked_networks_refuses_as_networks_alone_do() -> None:
    x, y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2
    x[3, 1] = 1e200
    data = TrainingSet.of(Records("r", x, y, 2, Provenance("", "")), np.arange(20))
    task = FitTask(data, Seeds(1, 2, 3), options=TrainingOptions(dropout=0.5))
    for train in (lambda: MLP(hidden=(4,)).fit(task, "cpu"), lambda: MLP(hidden=(4,)).fit_many([task], "cpu")[0]):
        assert str(answers(train, x)).startswith("feature 1 is 1e+200, too large to standardize")


@pytest.mark.parametrize(("pixel", "told"), [(1e200, "too large to standardize"), (1e60, "too far from the values")])
def test_a_pixel_is_refused_by_its_channel(pixel: float, told: str) -> None:
    x, y = np.random.default_rng(0).random((20, 16, 16, 2)), np.arange(20) % 2
    x[3 if pixel > 1e150 else 15, 4, 5, 1] = pixel
    data = TrainingSet.of(Records("r", x, y, 2, Provenance("", "")), np.arange(10))
    for train in (SimpleCNN(epochs=1).fit, lambda task, device: SimpleCNN(epochs=1).fit_many([task], device)[0]):
        found = answers(partial(train, FitTask(data, Seeds(1, 2, 3)), "cpu"), x)
        assert str(found).startswith(f"feature 1 is {pixel:g}, {told}")


def test_an_error_says_how_large_a_number_may_be() -> None:
    with pytest.raises(UserError) as caught:
        in_float32(np.array([[0.0, 1.0], [2.0, -1e39]]))
    assert str(caught.value) == (
        "feature 1 is -1e+39, too large for this model, which computes in float32 (up to 3.4e38); rescale the feature, "
        "or code missing values by a smaller number"
    )


@given(column=st.lists(NUMBERS, min_size=1, max_size=9))
@settings(max_examples=300)
def test_float32_is_what_numpy_rounds_to_or_an_error(column: list[float]) -> None:
    table = np.array(column)[:, np.newaxis]
    with np.errstate(over="ignore"):
        rounded = table.astype(np.float32)
    if np.isfinite(rounded).all():
        assert np.array_equal(in_float32(table), rounded)
    else:
        with pytest.raises(UserError, match="too large for this model"):
            in_float32(table)


@given(column=st.lists(NUMBERS, min_size=1, max_size=9), asked=NUMBERS)
@settings(max_examples=300)
def test_standardized_features_fit_float32_and_so_do_their_squares(column: list[float], asked: float) -> None:
    try:
        scaled = Standardizer.of(np.array(column)[:, np.newaxis])(np.array([[asked]]))
    except UserError:
        return
    assert np.abs(scaled) <= FARTHEST
    assert np.isfinite(np.square(scaled, dtype=np.float32, casting="same_kind"))


@pytest.mark.parametrize("scale", [1.0, 1e30, 1e38, -1e38])
@pytest.mark.parametrize("model", [*TREES.values(), LogisticRegression(), LightGBM()], ids=repr)
def test_a_column_tells_the_classes_apart_at_any_scale_that_is_accepted(model: TargetModel, scale: float) -> None:
    y = np.arange(40) % 2
    x = np.column_stack([np.where(y, scale, -scale), np.random.default_rng(0).normal(size=40)])
    both = by_both(model, x, y, x)
    for found in (both.reference, both.fast):
        assert not isinstance(found, str)
        assert (found.argmax(axis=1) == y).all()
