from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.builtin.datasets.derived import Source
from unlearnbench.builtin.datasets.digits import Digits
from unlearnbench.builtin.datasets.mislabelled import Mislabelled
from unlearnbench.core.dataset_cards import Located
from unlearnbench.core.errors import UserError
from unlearnbench.hooks.parameters import ParameterError, build, resolve
from unlearnbench.hooks.registry import load_registry

REGISTRY = load_registry(discover=False)


def test_it_is_the_other_data_set_but_for_a_share_of_labels() -> None:
    plain, wrong = Digits().load(), Mislabelled(share=0.2).load()
    assert wrong.mislabelled is not None
    assert wrong.mislabelled.sum() == round(0.2 * 1797)
    assert np.array_equal(wrong.y != plain.y, wrong.mislabelled)
    assert np.array_equal(wrong.x, plain.x)
    assert (wrong.name, wrong.bounds, wrong.n_classes) == ("mislabelled", plain.bounds, 10)
    assert wrong.provenance.note.startswith("digits with 0.2 of its records mislabelled; ")


def test_other_classes_are_equally_likely() -> None:
    """Of 90,000 draws each of nine has its share within four standard deviations."""
    y = np.zeros(90_000, dtype=np.int64)
    counts = np.bincount(Mislabelled().others(y, 10), minlength=10)
    assert counts[0] == 0
    assert np.abs(counts[1:] - 10_000).max() < 4 * np.sqrt(90_000 * (1 / 9) * (8 / 9))


@given(share=st.floats(0.01, 0.98), more=st.floats(0.001, 0.01), n=st.integers(2, 300), draw=st.integers(0, 5))
def test_a_larger_share_keeps_those_of_a_smaller_one(share: float, more: float, n: int, draw: int) -> None:
    few, many = (Mislabelled(share=each, draw=draw).chosen(n) for each in (share, share + more))
    assert not (few & ~many).any()
    assert few.sum() == round(share * n)


def test_two_classes_are_swapped() -> None:
    assert Mislabelled().others(np.array([0, 1, 1]), 2).tolist() == [1, 0, 0]


def test_another_draw_and_another_data_set_choose_others() -> None:
    chosen = [each.chosen(500) for each in (Mislabelled(), Mislabelled(draw=1), Mislabelled(of="adult"))]
    assert not any(np.array_equal(chosen[0], other) for other in chosen[1:])
    assert np.array_equal(chosen[0], Mislabelled().chosen(500))


def test_every_other_data_set_can_be_mislabelled() -> None:
    assert set(get_args(Source)) == {each.name for each in REGISTRY.all("dataset")} - {"canaries", "mislabelled"}
    for name in get_args(Source):
        other = build(REGISTRY.get("dataset", name), {})
        if isinstance(other, Located):
            assert Mislabelled(of=name).availability() == other.availability()


def test_what_is_part_of_a_package_is_not_downloaded() -> None:
    with pytest.raises(UserError, match="digits cannot be downloaded"):
        Mislabelled().fetch()


@pytest.mark.parametrize(
    "params", [{"of": "mislabelled"}, {"of": "digit"}, {"share": 0.0}, {"share": 1.0}, {"draw": -1}]
)
def test_other_parameters_are_refused(params: dict[str, object]) -> None:
    with pytest.raises(ParameterError):
        resolve(REGISTRY.get("dataset", "mislabelled"), params)
