from __future__ import annotations

import math
import sys

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.core.options import DPSGD
from unlearnbench.engine.privacy import Budget, PrivateRun, composed_epsilon, epsilon

ADULT = PrivateRun(1.2, 64 / 1999, 320)


@pytest.mark.parametrize("run", [ADULT, PrivateRun(0.8, 0.01, 1000), PrivateRun(3.0, 1.0, 10)])
def test_epsilon_is_that_of_another_librarys_accountant(run: PrivateRun) -> None:
    from dp_accounting import dp_event, rdp

    pytest.importorskip("opacus")
    step = dp_event.PoissonSampledDpEvent(run.sample_rate, dp_event.GaussianDpEvent(run.noise_multiplier))
    accountant = rdp.RdpAccountant()
    accountant.compose(dp_event.SelfComposedDpEvent(step, run.steps))
    assert epsilon(run.noise_multiplier, run.sample_rate, run.steps, 1e-5) == pytest.approx(
        accountant.get_epsilon(1e-5), rel=0.01
    )  # their grids of orders differ


def test_epsilon_falls_with_noise_and_rises_with_every_other_thing() -> None:
    pytest.importorskip("opacus")
    usual = epsilon(1.2, 0.03, 300, 1e-5)
    assert epsilon(2.4, 0.03, 300, 1e-5) < usual
    assert usual < min(epsilon(1.2, 0.06, 300, 1e-5), epsilon(1.2, 0.03, 600, 1e-5), epsilon(1.2, 0.03, 300, 1e-6))


def test_a_model_that_goes_on_from_another_spent_on_both() -> None:
    pytest.importorskip("opacus")
    twice = PrivateRun(ADULT.noise_multiplier, ADULT.sample_rate, 2 * ADULT.steps)
    assert Budget((ADULT, ADULT), 1e-5).epsilon == pytest.approx(composed_epsilon([twice], 1e-5))
    assert Budget((ADULT, PrivateRun(0.0, 1.0, 1)), 1e-5).epsilon == math.inf


@pytest.mark.parametrize("noise", [0.05, 100.0])
def test_epsilons_far_from_the_useful_are_computed_without_a_warning(noise: float) -> None:
    pytest.importorskip("opacus")
    assert math.isfinite(epsilon(noise, 0.03, 10, 1e-5))


def test_without_opacus_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opacus.accountants", None)
    with pytest.raises(UserError, match=r'pip install "unlearnbench\[dp\]"'):
        assert epsilon(1.2, 0.03, 300, 1e-5)


@pytest.mark.parametrize(("records", "batch", "rate", "steps"), [(1999, 64, 64 / 1999, 320), (50, 64, 1.0, 10)])
def test_a_run_takes_as_many_steps_as_plain_training(records: int, batch: int, rate: float, steps: int) -> None:
    assert PrivateRun.over(records, batch, 10, DPSGD(1.2, 1.0, 1e-5)) == PrivateRun(1.2, rate, steps)
