from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from tests.audit.conftest import softmax
from unlearnbench.audit.answers import read_answers
from unlearnbench.audit.leak import audit
from unlearnbench.audit.verdict import Verdict, judge, labels_differ
from unlearnbench.hooks.registry import Registry

Arrays = dict[str, Any]
Make = Callable[..., Arrays]
Save = Callable[..., Path]
Judged = Callable[..., Verdict]


@pytest.fixture
def judged(npz: Save, registry: Registry) -> Judged:
    def judged(target: Arrays, shadow: Arrays | None = None) -> Verdict:
        other = read_answers(npz(shadow, "shadow.npz")) if shadow else None
        return judge(audit(read_answers(npz(target)), other, registry))

    return judged


def test_a_leak_is_told_in_pairs_and_in_deleted_records_of_a_hundred(arrays: Make, judged: Judged) -> None:
    verdict = judged(arrays(leak=3.0, forgotten=100, unseen=1000))
    told = " ".join(verdict.sentences)
    assert verdict.outcome == "leak"
    assert "of 100 pairs (95 % interval " in told
    assert re.search(r"It finds \d+ of 100 deleted records \(95 % interval \d+ to \d+\) with false positives", told)
    assert "with false positives among at most 10 of 100 unseen ones." in told
    assert "with false positives among at most 1 of 100 unseen ones." in told
    assert "all 4 attacks considered" in told


def test_what_too_few_unseen_records_cannot_say_is_told(arrays: Make, judged: Judged) -> None:
    told = " ".join(judged(arrays(leak=2.0, unseen=120)).sentences)
    assert "at most 1 of 100 unseen ones is not known: that takes 1,000 unseen records." in told


def test_no_leak_found_is_not_no_leak(arrays: Make, judged: Judged) -> None:
    verdict = judged(arrays(seed=3))
    told = " ".join(verdict.sentences)
    assert verdict.outcome == "no leak found"
    assert 'That is not "no leak".' in verdict.headline
    assert "would not have been detected here." in told
    assert "Attacks that learn from shadow models were not tried" in told


def test_models_that_answer_alike_show_nothing(arrays: Make, judged: Judged) -> None:
    given = arrays()
    verdict = judged({**given, "after": given["before"]})
    assert verdict.outcome == "no leak found"
    assert "in 50 of 100 pairs; chance is 50." in verdict.sentences[0]


def test_few_requests_can_tell_nothing(arrays: Make, judged: Judged) -> None:
    verdict = judged(arrays(forgotten=4, leak=5.0))
    assert verdict.outcome == "cannot tell"
    assert (
        verdict.headline
        == "Cannot tell: an interval needs 5 deletion requests and as many unseen records; there are 4."
    )
    assert "interval " not in verdict.sentences[0]


def test_what_would_not_have_been_detected_counts_in_either_direction(arrays: Make, judged: Judged) -> None:
    given = arrays(leak=0.3)
    for answers in (given, {**given, "before": given["after"], "after": given["before"]}):
        verdict = judged(answers)
        assert verdict.outcome == "no leak found"
        assert "A leak of up to 78 of 100 pairs would not have been detected here." in verdict.sentences[0]


def test_two_large_requests_among_small_ones_can_tell_nothing(arrays: Make, judged: Judged) -> None:
    given = arrays(forgotten=88, leak=5.0)
    request = np.append(np.repeat(np.arange(10), [40, 40, *[1] * 8]).astype(str), [""] * 130)
    verdict = judged({**given, "request": request})
    assert verdict.outcome == "cannot tell"
    assert verdict.headline == "Cannot tell: nearly all records are of a few large deletion requests."


def test_one_pair_of_models_speaks_for_itself_only(arrays: Make, judged: Judged) -> None:
    told = " ".join(judged(arrays()).sentences)
    assert "For this pair of models only: intervals treat 20 deletion requests as the sample." in told


def test_a_few_originals_speak_for_themselves_only(arrays: Make, judged: Judged) -> None:
    told = " ".join(judged({**arrays(), "original": np.arange(150) % 3}).sentences)
    assert "For these 3 originals and their unlearned models only: intervals treat 20 deletion requests" in told


def test_five_originals_speak_for_models_trained_alike(arrays: Make, judged: Judged) -> None:
    told = " ".join(judged({**arrays(), "original": np.arange(150) % 5}).sentences)
    assert "Intervals treat 5 original models as the sample: models trained as these were." in told


def test_a_score_that_falls_gives_deleted_records_away_too(arrays: Make, judged: Judged) -> None:
    verdict = judged(arrays(leak=-2.0))
    assert verdict.outcome == "leak"
    assert "The reversed ranking identifies deleted records." in verdict.sentences[0]


@pytest.mark.parametrize(
    ("shift", "told"),
    [
        (4.0, "It still remembers deleted records."),
        (-4.0, "It is less confident on deleted records than on unseen ones, which identifies them too."),
        (0.0, "No difference between deleted and unseen records was found."),
    ],
)
def test_what_the_unlearned_model_remembers_is_told_apart(
    shift: float, told: str, arrays: Make, judged: Judged
) -> None:
    given = arrays()
    own = (np.arange(3) == given["label"][:, None]) & (given["role"] == "forgotten")[:, None]
    raised = given["after"] * np.exp(shift * own)
    verdict = judged({**given, "after": raised / raised.sum(axis=1, keepdims=True)})
    (sentence,) = (sentence for sentence in verdict.sentences if sentence.startswith("With the unlearned model alone"))
    assert sentence.endswith(told)


def test_what_was_known_before_the_deletion_is_told(arrays: Make, judged: Judged) -> None:
    told = " ".join(judged(arrays(), arrays(seed=1)).sentences)
    assert "Without the unlearned model, classical ranks a deleted record " in told
    assert "shadow models were not tried" not in told


def test_unseen_records_of_other_labels_are_a_caution(arrays: Make, judged: Judged) -> None:
    given = arrays(forgotten=60)
    skewed = {**given, "label": np.where(given["role"] == "forgotten", 0, given["label"])}
    assert not any(sentence.startswith("Caution") for sentence in judged(given).sentences)
    assert any(sentence.startswith("Caution: the labels of") for sentence in judged(skewed).sentences)


def test_the_labels_test_is_calibrated(arrays: Make, npz: Save) -> None:
    p = [labels_differ(read_answers(npz(arrays(seed=seed)))) for seed in range(150)]
    assert 0.01 <= np.mean(np.array(p) <= 0.1) <= 0.2


def test_unknown_labels_do_not_differ(arrays: Make, npz: Save) -> None:
    given = arrays()
    del given["label"]
    assert labels_differ(read_answers(npz(given))) == 1


def test_a_verdict_has_no_words_of_statistics_but_interval_and_chance(arrays: Make, judged: Judged) -> None:
    told = " ".join(judged(arrays(leak=1.0), arrays(leak=1.0, seed=1)).sentences)
    assert not {"AUC", "TPR", "FPR", "p-value", "Holm", "cluster"} & set(told.replace(",", " ").split())


def without_leak(sizes: list[int], share: float, rng: np.random.Generator) -> Arrays:
    """Answers whose change is drawn alike for all records; of one request's records, this share of it is common."""
    request = np.repeat(np.arange(len(sizes)), sizes)
    n = len(request) + 200
    cluster = np.append(request, len(sizes) + np.arange(200))
    change = np.sqrt(share) * rng.normal(size=n)[cluster] + np.sqrt(1 - share) * rng.normal(size=n)
    label, before = rng.integers(3, size=n), rng.normal(size=(n, 3))
    after = before + 0.05 * rng.normal(size=(n, 3)) + 0.5 * change[:, None] * (np.arange(3) == label[:, None])
    return {
        "role": np.where(np.arange(n) < len(request), "forgotten", "unseen"),
        "request": np.append(request.astype(str), [""] * 200),
        "label": label,
        "before": softmax(before),
        "after": softmax(after),
    }


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
@pytest.mark.parametrize(
    "sizes", [[1] * 30, [1, 3, 5, 8, 12, 17, 22, 28, 34, 40], [40, 40, 40, 4, 4, 4, 4, 4, 4, 4]], ids=str
)
def test_a_leak_is_told_where_there_is_none_in_less_than_7_of_100_audits(
    sizes: list[int], share: float, judged: Judged
) -> None:
    rng = np.random.default_rng(0)
    outcomes = [judged(without_leak(sizes, share, rng)).outcome for _ in range(100)]
    assert outcomes.count("cannot tell") == 0
    assert binomtest(outcomes.count("leak"), 100, 0.07, "greater").pvalue > 0.001
