"""What the verdicts of all claims come to, with what a plain count hides: chance, ties and repetition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from unlearnbench.reproduction.claims import LEVEL, Claim, ClaimResult, Greater
from unlearnbench.reproduction.experiment import CLASSICAL, DIFF
from unlearnbench.stats import holm


@dataclass(frozen=True)
class Summary:
    """Counts of claims."""

    claims: int
    holds: int
    does_not_hold: int
    cannot_tell: int
    holds_adjusted: int
    """How many hold after Holm's adjustment over all claims."""
    contradicted_adjusted: int
    """How many opposites hold after Holm's adjustment over all claims."""
    without_spread: int
    """How many hold because all seeds have the same number, or differ by the same amount: no test is needed."""
    main_claim: int
    """How many that hold are the main claim in one setting: sorted-diff above the classical attack."""

    @classmethod
    def of(cls, pairs: Iterable[tuple[Claim, ClaimResult]]) -> Summary:
        """Count the results of claims."""
        pairs = list(pairs)
        verdicts = Counter(result.verdict for _, result in pairs)
        holding = [(claim, result) for claim, result in pairs if result.verdict == "holds"]
        p_values = [result.p for _, result in pairs if result.p is not None]
        return cls(
            claims=len(pairs),
            holds=verdicts["holds"],
            does_not_hold=verdicts["does not hold"],
            cannot_tell=verdicts["cannot tell"],
            holds_adjusted=_significant(p_values),
            contradicted_adjusted=_significant([1 - p for p in p_values]),
            without_spread=sum(result.without_spread for _, result in holding),
            main_claim=sum(is_main_claim(claim) for claim, _ in holding),
        )

    def text(self) -> str:
        """Return the counts as sentences."""
        return (
            f"Of {self.claims} expectations {self.holds} hold, {self.does_not_hold} do not, and for "
            f"{self.cannot_tell} the seeds are too few. After Holm's adjustment over all {self.claims}, "
            f"{self.holds_adjusted} hold and {self.contradicted_adjusted} do not. Of those that hold, "
            f"{self.without_spread} have no spread over seeds (all seeds give the same number, so that there is "
            f"nothing to test), and {self.main_claim} are one statement in different settings: sorted-diff finds more "
            "than the classical attack."
        )


def _significant(p_values: Sequence[float]) -> int:
    return int((holm(p_values) < LEVEL).sum()) if p_values else 0


def is_main_claim(claim: Claim) -> bool:
    """Return whether a claim compares sorted-diff with the classical attack."""
    if not isinstance(claim, Greater):
        return False
    return claim.row.labels.get("attack") == DIFF and claim.than.labels.get("attack") == CLASSICAL
