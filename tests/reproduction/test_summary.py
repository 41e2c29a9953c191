"""Counts of verdicts: adjusted, without spread, and repetitions of the main claim."""

from __future__ import annotations

import pytest

from unlearnbench.core.estimates import Estimate
from unlearnbench.reproduction.claims import Above, Claim, ClaimResult, ClaimVerdict, Greater, Near, row
from unlearnbench.reproduction.summary import Summary, is_main_claim

DIFF, CLASSICAL = row(attack="sorted-diff"), row(attack="classical")
ABOVE = Above("", DIFF, 0.5)


def pair(claim: Claim, verdict: ClaimVerdict, p: float | None, *, spread: bool = True) -> tuple[Claim, ClaimResult]:
    amount = Estimate(0.1, 0.0, 0.2) if spread else Estimate(0.1, status="degenerate", reason="all values are equal")
    return claim, ClaimResult("", verdict, amount, p)


def test_holm_divides_the_level_by_the_number_of_claims_that_are_left() -> None:
    # sorted: .01 * 4, .02 * 3 > .05, so that only the first is below .05 after the adjustment
    pairs = [pair(ABOVE, "holds", p) for p in (0.01, 0.02, 0.03)] + [pair(ABOVE, "does not hold", 0.999)]
    counts = Summary.of(pairs)
    assert (counts.claims, counts.holds, counts.holds_adjusted) == (4, 3, 1)
    assert (counts.does_not_hold, counts.contradicted_adjusted) == (1, 1)


def test_a_claim_without_a_number_is_counted_and_not_adjusted() -> None:
    counts = Summary.of([pair(ABOVE, "cannot tell", None), pair(ABOVE, "holds", 0.04)])
    assert (counts.claims, counts.cannot_tell, counts.holds_adjusted) == (2, 1, 1)


def test_claims_that_hold_without_spread_are_told_apart() -> None:
    counts = Summary.of([pair(ABOVE, "holds", 0.0, spread=False), pair(ABOVE, "holds", 0.001)])
    assert (counts.holds, counts.without_spread) == (2, 1)
    assert "1 have no spread over seeds" in counts.text()


@pytest.mark.parametrize(
    ("claim", "is_main"),
    [
        (Greater("", DIFF, CLASSICAL), True),
        (Greater("", CLASSICAL, DIFF), False),
        (Greater("", row(attack="score-diff"), CLASSICAL), False),
        (Near("", DIFF, CLASSICAL, 0.05), False),
    ],
)
def test_the_main_claim_is_that_sorted_diff_finds_more_than_the_classical_attack(claim: Claim, is_main: bool) -> None:
    assert is_main_claim(claim) == is_main
    assert Summary.of([pair(claim, "holds", 0.001)]).main_claim == is_main


def test_nothing_judged_has_no_counts() -> None:
    assert Summary.of([]).holds_adjusted == 0
