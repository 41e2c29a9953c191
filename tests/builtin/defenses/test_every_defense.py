"""What holds for all release defenses alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import TypeAdapter, ValidationError

from unlearnbench.builtin.defenses.label_only import LabelOnly
from unlearnbench.builtin.defenses.none import NoDefense
from unlearnbench.builtin.defenses.temperature import Temperature
from unlearnbench.builtin.defenses.top_k import TopK
from unlearnbench.core.posteriors import log_of

ALL = [NoDefense(), TopK(1), TopK(), TopK(100), LabelOnly(), Temperature(), Temperature(0.1), Temperature(50.0)]


@st.composite
def posteriors(draw):
    """Rows of two to eight classes, with ties and exact zeros."""
    shape = draw(st.tuples(st.integers(1, 5), st.integers(2, 8)))
    weights = draw(arrays(np.float64, shape, elements=st.sampled_from([0.0, 0.1, 0.1 + 1e-12, 0.3, 1.0, 7.0])))
    weights[weights.sum(axis=1) == 0] = 1.0
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("defense", ALL, ids=repr)
@given(p=posteriors())
def test_released_rows_are_probabilities(defense, p, release):
    out = release(defense, p)
    assert out.shape == p.shape
    assert (out >= 0).all()
    assert out.sum(axis=1) == pytest.approx(np.ones(len(p)))


@pytest.mark.parametrize("defense", ALL, ids=repr)
@given(p=posteriors())
def test_the_predicted_class_stays_the_most_probable(defense, p, release):
    out = release(defense, p)
    predicted = p.argmax(axis=1)
    assert np.array_equal(out[np.arange(len(p)), predicted], out.max(axis=1))


@pytest.mark.parametrize("defense", ALL, ids=repr)
@given(p=posteriors())
def test_a_row_is_released_the_same_alone_and_in_a_batch(defense, p, release):
    alone = np.concatenate([release(defense, row[None]) for row in p])
    assert alone == pytest.approx(release(defense, p), rel=1e-12)


@pytest.mark.parametrize("defense", [NoDefense(), TopK(1), TopK(), LabelOnly()], ids=repr)
@given(p=posteriors())
def test_releasing_twice_is_releasing_once(defense, p, release):
    once = release(defense, p)
    assert release(defense, once) == pytest.approx(once, abs=1e-12)


@pytest.mark.parametrize("defense", ALL, ids=repr)
def test_inputs_stay_as_they_were(defense):
    log_posteriors = log_of([[0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]])
    copy = log_posteriors.copy()
    defense.release(log_posteriors, None)
    assert np.array_equal(log_posteriors, copy)


@pytest.mark.parametrize(
    ("defense", "wrong"), [(TopK, {"k": 0}), (TopK, {"k": 1.5}), (Temperature, {"temperature": 0})]
)
def test_a_wrong_parameter_is_refused(defense, wrong):
    with pytest.raises(ValidationError):
        TypeAdapter(defense).validate_python(wrong)
