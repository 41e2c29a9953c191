"""Both entropies have the known answers, equal a naive loop, and take each row by itself."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from unlearnbench.builtin.attacks.entropy import entropy, modified_entropy
from unlearnbench.core.posteriors import log_of, log_softmax

Floats = NDArray[np.float64]
POSTERIORS = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
LABEL = np.array([0, 1, 0])
SONG_MITTAL = [0.16216724501024432, 0.06570081339440718, 1.1541136957161713]
AS_CODED_IN_A_BATCH = [1.6248113224283047, 2.347213803256887, 2.0520782188059723]
AS_CODED_ALONE = [0.6591485749678444, 0.505145728861651, 1.570489097075598]
"""The values of the same three rows by widely copied code, together and one by one."""


@st.composite
def answers(draw: st.DrawFn) -> tuple[Floats, NDArray[np.int64]]:
    """Log-posteriors of up to eight rows, from flat to saturated, and labels."""
    n, n_classes = draw(st.integers(1, 8)), draw(st.integers(2, 6))
    scale = draw(st.sampled_from([0.0, 1.0, 10.0, 60.0]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return log_softmax(scale * rng.normal(size=(n, n_classes))), rng.integers(n_classes, size=n)


def naive_modified_entropy(row: Floats, y: int) -> float:
    """Term by term, with 1 - p as the sum of the other posteriors."""
    p = [exp(value) for value in row]
    rest = [max(sum(p[:i] + p[i + 1 :]), 1e-45) for i in range(len(p))]
    return -rest[y] * float(row[y]) - sum(p[i] * log(rest[i]) for i in range(len(p)) if i != y)


def as_coded_in_public(posteriors: Floats, label: NDArray[np.int64]) -> Floats:
    """Change the columns of all labels of the batch in each row, and take log p of the other classes for log(1 - p)."""
    factor = posteriors.copy()
    factor[:, label] = 1 - posteriors[:, label]
    return np.asarray(-(factor * np.log(posteriors)).sum(axis=1))


def test_the_modified_entropy_has_the_known_answers() -> None:
    assert modified_entropy(np.log(POSTERIORS), LABEL) == pytest.approx(SONG_MITTAL, rel=1e-12, abs=1e-12)


def test_public_code_gives_other_values_which_depend_on_the_batch() -> None:
    batch = as_coded_in_public(POSTERIORS, LABEL)
    alone = [as_coded_in_public(POSTERIORS[[i]], LABEL[[i]])[0] for i in range(3)]
    assert batch == pytest.approx(AS_CODED_IN_A_BATCH, rel=1e-12)
    assert alone == pytest.approx(AS_CODED_ALONE, rel=1e-12)
    ours = modified_entropy(np.log(POSTERIORS), LABEL)
    assert (np.abs(ours - batch) > 0.4).all()
    assert (np.abs(ours - alone) > 0.4).all()


@pytest.mark.parametrize(
    ("posteriors", "wanted"),
    [([0.5, 0.5], log(2)), ([0.25] * 4, log(4)), ([0.0, 1.0, 0.0], 0.0), ([0.5, 0.25, 0.25], 1.5 * log(2))],
)
def test_the_entropy_has_the_known_answers(posteriors: list[float], wanted: float) -> None:
    assert entropy(log_of([posteriors])) == pytest.approx([wanted], abs=1e-12)


@given(answers())
def test_both_equal_a_naive_loop(case: tuple[Floats, NDArray[np.int64]]) -> None:
    log_posteriors, label = case
    plain = [-sum(exp(value) * value for value in row) for row in log_posteriors]
    assert entropy(log_posteriors) == pytest.approx(plain, rel=1e-12, abs=1e-12)
    modified = [naive_modified_entropy(row, int(y)) for row, y in zip(log_posteriors, label, strict=True)]
    assert modified_entropy(log_posteriors, label) == pytest.approx(modified, rel=1e-12, abs=1e-12)


@given(answers())
def test_a_row_has_the_same_value_to_the_bit_alone(case: tuple[Floats, NDArray[np.int64]]) -> None:
    log_posteriors, label = case
    alone = [modified_entropy(log_posteriors[[i]], label[[i]])[0] for i in range(len(label))]
    assert modified_entropy(log_posteriors, label).tolist() == alone
    assert entropy(log_posteriors).tolist() == [entropy(row[None])[0] for row in log_posteriors]


@given(answers())
def test_the_order_of_the_classes_does_not_matter(case: tuple[Floats, NDArray[np.int64]]) -> None:
    log_posteriors, label = case
    last = log_posteriors.shape[1] - 1
    turned = log_posteriors[:, ::-1].copy()
    assert entropy(turned) == pytest.approx(entropy(log_posteriors), rel=1e-12, abs=1e-12)
    wanted = modified_entropy(log_posteriors, label)
    assert modified_entropy(turned, last - label) == pytest.approx(wanted, rel=1e-12, abs=1e-12)


def test_with_two_classes_the_modified_entropy_ranks_as_the_loss() -> None:
    p = np.linspace(0.01, 0.99, 50)
    values = modified_entropy(np.log(np.column_stack([p, 1 - p])), np.zeros(50, dtype=np.int64))
    assert values == pytest.approx(-2 * (1 - p) * np.log(p), rel=1e-12)
    assert (np.diff(values) < 0).all()


def test_certain_answers_are_told_apart_where_the_largest_posterior_rounds_to_one() -> None:
    log_posteriors = log_softmax([[40.0, 0.0], [60.0, 0.0]])
    assert log_posteriors[:, 0].tolist() == [0, 0]
    right, wrong = (
        modified_entropy(log_posteriors, np.array([0, 0])),
        modified_entropy(log_posteriors, np.array([1, 1])),
    )
    assert right.tolist() == [0, 0]
    assert wrong == pytest.approx([80, 120], rel=1e-12)


def test_only_the_modified_entropy_knows_a_certain_answer_that_is_wrong() -> None:
    log_posteriors = np.log([[0.99, 0.01]])
    assert modified_entropy(log_posteriors, np.array([1])) > 100 * modified_entropy(log_posteriors, np.array([0]))
    assert entropy(log_posteriors) == pytest.approx(entropy(log_posteriors[:, ::-1]))
