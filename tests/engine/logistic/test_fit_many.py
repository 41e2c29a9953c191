from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.builtin.models.logistic_regression import LogisticRegression, _bases
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, Fitted, Seeds
from unlearnbench.core.records import Order, Provenance, Records, Step, TrainingSet
from unlearnbench.engine.banks import Member
from unlearnbench.engine.logistic.solve import LogisticBank
from unlearnbench.engine.querying import query
from unlearnbench.engine.scaling import Scaler
from unlearnbench.engine.sklearn_model import Constant


def blobs(n: int = 150, n_classes: int = 3, d: int = 4, seed: int = 0) -> Records:
    rng = np.random.default_rng(seed)
    y = np.arange(n, dtype=np.int64) % n_classes
    x = (rng.normal(size=(n_classes, d))[y] + rng.normal(size=(n, d))) * np.geomspace(1, 1000, d) + 7
    return Records("blobs", x, y, n_classes, Provenance("made up", "none"))


def task(data: TrainingSet) -> FitTask:
    return FitTask(data, Seeds(1, 2, 3))


def requests(data: TrainingSet, sizes: Sequence[int], order: Order = "slot") -> list[FitTask]:
    rng = np.random.default_rng(8)
    return [task(data.after(Step(rng.choice(data.kept_ids, size=r, replace=False)), order)) for r in sizes]


def posteriors(fitted: Sequence[Fitted], x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.exp(query(fitted, x, fitted[0].log_posteriors(x).shape[1])))


def reference(model: LogisticRegression, tasks: list[FitTask], x: NDArray[np.float64]) -> NDArray[np.float64]:
    return posteriors([model.fit(each, "cpu") for each in tasks], x)


def bank_of(fitted: Fitted) -> LogisticBank:
    assert isinstance(fitted, Member)
    assert isinstance(fitted.bank, LogisticBank)
    return fitted.bank


def forget_bases() -> None:
    gc.collect()
    assert not _bases


@pytest.mark.parametrize("scaler", ["original", "refit"])
@pytest.mark.parametrize(("n_classes", "d"), [(2, 4), (3, 4), (6, 30)])
@pytest.mark.parametrize("c", [0.1, 1.0, 10.0])
def test_models_trained_together_answer_like_those_of_scikit_learn_at_its_tightest(
    scaler: Scaler, n_classes: int, d: int, c: float
) -> None:
    records, model = blobs(n=240, n_classes=n_classes, d=d), LogisticRegression(c=c, scaler=scaler)
    data = TrainingSet.of(records, np.arange(230))
    tasks = [task(data), *requests(data, [1, 1, 1, 2, 5, 25])]
    fitted = model.fit_many(tasks, "cpu")
    assert all(isinstance(each, Member) for each in fitted)
    np.testing.assert_allclose(posteriors(fitted, records.x), reference(model, tasks, records.x), atol=1e-8)


@pytest.mark.parametrize("scaler", ["original", "refit"])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_gradient_of_each_models_own_objective_vanishes(scaler: Scaler, n_classes: int) -> None:
    records = blobs(n_classes=n_classes)
    data = TrainingSet.of(records, np.arange(150))
    for each in requests(data, [1, 3, 40]):
        member = LogisticRegression(scaler=scaler).fit_many([each], "cpu")[0]
        own = each.data if scaler == "refit" else data
        z = (each.data.x - own.x.mean(axis=0)) / own.x.std(axis=0)
        share = np.exp(member.log_posteriors(each.data.x))
        residuals = share - np.eye(n_classes)[each.data.y]
        # at the optimum the weights are minus the data's slope (c = 1), so they say what the logits must be
        weights = -residuals[:, 1:].T @ z if n_classes == 2 else -residuals.T @ z
        logits = z @ weights.T
        logits = np.column_stack([np.zeros(len(z)), logits]) if n_classes == 2 else logits
        offset = np.log(share) - logits
        offset -= offset.mean(axis=1, keepdims=True)
        np.testing.assert_allclose(residuals.sum(axis=0), 0, atol=1e-9)
        np.testing.assert_allclose(offset, offset[:1].repeat(len(z), axis=0), atol=1e-7)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("scaler", ["original", "refit"])
def test_a_model_is_the_same_bits_alone_in_any_batch_and_in_any_order(n_classes: int, scaler: Scaler) -> None:
    records, model = blobs(n_classes=n_classes), LogisticRegression(scaler=scaler)
    data = TrainingSet.of(records, np.arange(140))
    tasks = [task(data), *requests(data, [1, 2, 1, 3] * 12), task(TrainingSet.of(records, np.arange(20, 150)))]
    alone = []
    for each in tasks[-8:]:
        _bases.clear()
        alone.append(model.fit_many([each], "cpu")[0].log_posteriors(records.x))
    together = query(model.fit_many(tasks, "cpu"), records.x, n_classes)
    np.testing.assert_array_equal(together[-8:], alone)
    for batch in ([0, 1, 2], np.random.default_rng(0).permutation(50)):
        some = query(model.fit_many([tasks[k] for k in batch], "cpu"), records.x, n_classes)
        np.testing.assert_array_equal(some, together[batch])


def test_slot_and_compact_are_one_model_bit_for_bit() -> None:
    data = TrainingSet.of(blobs(), np.arange(150))
    model = LogisticRegression()
    slot, compact = (model.fit_many(requests(data, [1, 2, 9], order), "cpu") for order in ("slot", "compact"))
    np.testing.assert_array_equal(query(slot, data.x, data.n_classes), query(compact, data.x, data.n_classes))


def test_shards_are_bases_of_their_own() -> None:
    records, model = blobs(), LogisticRegression()
    data = TrainingSet.of(records, np.arange(150))
    shards = [data.select(np.arange(150) // 50 == shard) for shard in range(3)]
    tasks = [each for shard in shards for each in (task(shard), *requests(shard, [1, 2]))]
    fitted = model.fit_many(tasks, "cpu")
    assert len({id(bank_of(each)) for each in fitted}) == 3
    np.testing.assert_allclose(posteriors(fitted, records.x), reference(model, tasks, records.x), atol=1e-8)


def unusual() -> dict[str, TrainingSet]:
    """Return training sets that are not their original less a few records."""
    records = blobs(n=90)
    data = TrainingSet.of(records, np.arange(80))
    only = [np.flatnonzero(records.y[:80] != label) for label in (0, 1)]
    return {
        "records added": data.after(Step(np.array([3]), np.array([85, 86]))),
        "a class lost": data.after(Step(np.flatnonzero(records.y[:80] == 2))),
        "one class left": data.after(Step(only[0])),
        "two lost one after the other": data.after(Step(only[0][:20])).after(Step(only[0][20:])),
        "the original's mask": TrainingSet(records, np.arange(80), np.arange(80) > 9).after(Step(np.array([40]))),
        "records twice": TrainingSet.of(records, np.append(np.arange(80), [3, 4])).after(Step(np.array([3]))),
    }


@pytest.mark.parametrize("scaler", ["original", "refit"])
@pytest.mark.parametrize("case", unusual())
def test_unusual_training_sets_are_solved_like_the_reference_does(case: str, scaler: Scaler) -> None:
    model, data = LogisticRegression(scaler=scaler), unusual()[case]
    fitted = model.fit_many([task(data.original), task(data)], "cpu")
    expected = reference(model, [task(data.original), task(data)], data.records.x)
    np.testing.assert_allclose(posteriors(fitted, data.records.x), expected, atol=1e-8)
    assert isinstance(fitted[1], Constant) == (len(set(data.y)) == 1)


def test_a_training_set_with_no_record_left_is_an_error() -> None:
    data = TrainingSet.of(blobs(), np.arange(10))
    with pytest.raises(UserError, match="no record left"):
        LogisticRegression().fit_many([task(data.after(Step(np.arange(10))))], "cpu")


@pytest.mark.parametrize("d", [4, 80])
@pytest.mark.parametrize("short", [{"max_iter": 1}, {"tol": 1e-30}])
def test_stopping_short_of_the_optimum_is_the_references_error(short: dict[str, Any], d: int) -> None:
    data = TrainingSet.of(blobs(n=300, d=d), np.arange(300))
    with pytest.raises(UserError, match=r"mean gradient \d\.\de-\d\d after \d+ steps"):
        LogisticRegression(**short).fit_many(requests(data, [1]), "cpu")


def test_bases_with_more_weights_than_records_are_left_to_the_reference() -> None:
    data = TrainingSet.of(blobs(n=100, d=80), np.arange(100))
    tasks, model = requests(data, [1, 2]), LogisticRegression()
    fitted = model.fit_many(tasks, "cpu")
    np.testing.assert_array_equal(posteriors(fitted, data.x), reference(model, tasks, data.x))


def test_a_base_is_solved_once_while_one_of_its_models_lives_and_then_forgotten() -> None:
    forget_bases()
    data = TrainingSet.of(blobs(), np.arange(150))
    original = LogisticRegression().fit_many([task(data)], "cpu")
    base = next(iter(_bases.values()))
    after = LogisticRegression().fit_many(requests(data, [1]), "cpu")
    assert bank_of(after[0]).base is bank_of(original[0]).base is base
    assert bank_of(LogisticRegression(c=2.0).fit_many([task(data)], "cpu")[0]).base is not base
    del original, after, base
    forget_bases()


def test_the_records_are_left_as_they_were() -> None:
    records = blobs()
    before = records.x.copy(), records.y.copy()
    LogisticRegression().fit_many(requests(TrainingSet.of(records, np.arange(150)), [1, 4]), "cpu")
    np.testing.assert_array_equal(records.x, before[0])
    np.testing.assert_array_equal(records.y, before[1])
