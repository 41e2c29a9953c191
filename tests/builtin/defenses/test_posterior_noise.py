from __future__ import annotations

import numpy as np

from unlearnbench.builtin.defenses.posterior_noise import PosteriorNoise
from unlearnbench.core.defenses import ReleaseKeys
from unlearnbench.core.posteriors import log_of

N = 4000
ANSWERS = log_of(np.tile([0.2, 0.8], (N, 1)))


def keys(request: int, version: int) -> ReleaseKeys:
    same = np.ones(N, dtype=np.int64)
    return ReleaseKeys(3, same, same * request, same * version, np.arange(N))


def odds(request: int, version: int, sigma: float = 0.5) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The log-odds of a model's answers to all records; normalizing leaves them alone."""
    released = PosteriorNoise(sigma).release(ANSWERS, keys(request, version))
    np.testing.assert_allclose(np.exp(released).sum(axis=1), 1)
    return np.asarray(released[:, 1] - released[:, 0])


def test_each_log_posterior_gets_noise_of_this_size() -> None:
    noise = odds(0, 1) - np.log(4)
    assert abs(noise.mean()) < 4 * 0.5 * np.sqrt(2 / N)
    assert abs(noise.std() / (0.5 * np.sqrt(2)) - 1) < 4 / np.sqrt(2 * N)


def test_two_models_share_no_noise_and_one_model_answers_always_alike() -> None:
    original, unlearned, other = odds(0, 0), odds(0, 1), odds(1, 1)
    np.testing.assert_array_equal(original, odds(1, 0))  # the same original, seen with another request
    np.testing.assert_array_equal(unlearned, odds(0, 1))
    for one, two in ((original, unlearned), (unlearned, other)):
        assert abs(np.corrcoef(one, two)[0, 1]) < 4 / np.sqrt(N)
