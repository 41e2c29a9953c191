"""What the conformance kit cannot know about the built-in release defenses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import ArrayLike, NDArray
from pydantic import TypeAdapter, ValidationError

from unlearnbench.builtin.defenses.label_only import LabelOnly
from unlearnbench.builtin.defenses.none import NoDefense
from unlearnbench.builtin.defenses.temperature import Temperature
from unlearnbench.builtin.defenses.top_k import TopK
from unlearnbench.core.defenses import ReleaseDefense

ALL = [NoDefense(), TopK(1), TopK(), TopK(100), LabelOnly(), Temperature(), Temperature(0.1), Temperature(50.0)]


@st.composite
def posteriors(draw: st.DrawFn) -> NDArray[np.float64]:
    """Rows of two to eight classes, with ties and exact zeros."""
    shape = draw(st.tuples(st.integers(1, 5), st.integers(2, 8)))
    weights = draw(arrays(np.float64, shape, elements=st.sampled_from([0.0, 0.1, 0.1 + 1e-12, 0.3, 1.0, 7.0])))
    weights[weights.sum(axis=1) == 0] = 1.0
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("defense", ALL, ids=repr)
@given(p=posteriors())
def test_the_predicted_class_stays_the_most_probable(
    defense: ReleaseDefense,
    p: NDArray[np.float64],
    release: Callable[[ReleaseDefense, ArrayLike], NDArray[np.float64]],
) -> None:
    out = release(defense, p)
    predicted = p.argmax(axis=1)
    assert np.array_equal(out[np.arange(len(p)), predicted], out.max(axis=1))


@pytest.mark.parametrize("defense", [NoDefense(), TopK(1), TopK(), LabelOnly()], ids=repr)
@given(p=posteriors())
def test_releasing_twice_is_releasing_once(
    defense: ReleaseDefense,
    p: NDArray[np.float64],
    release: Callable[[ReleaseDefense, ArrayLike], NDArray[np.float64]],
) -> None:
    once = release(defense, p)
    assert release(defense, once) == pytest.approx(once, abs=1e-12)


@pytest.mark.parametrize(
    ("defense", "wrong"), [(TopK, {"k": 0}), (TopK, {"k": 1.5}), (Temperature, {"temperature": 0})]
)
def test_a_wrong_parameter_is_rejected(defense: type[Any], wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(defense).validate_python(wrong)
