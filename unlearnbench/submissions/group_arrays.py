"""The arrays that cells of one group share in a submission: taken from a run's episodes, and read as utility again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.arrays import Scalar
from unlearnbench.core.errors import UserError
from unlearnbench.core.metrics import Utility
from unlearnbench.core.observations import Observations
from unlearnbench.run.cells import CellGroup
from unlearnbench.run.evaluation import read_episode
from unlearnbench.run.measuring import utility
from unlearnbench.run.store import Store
from unlearnbench.submissions.derived import Ids, QueriedRows

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GroupArrays:
    """What cells of a group share; requests are counted over all originals."""

    matched: Ids
    """Record ids of matched negatives (requests, k), -1 where a request has fewer."""
    accuracies: Numbers
    """Train and test accuracy of the original, then of the unlearned model (4, requests)."""
    seconds: Numbers
    """Wall time to train and to unlearn (2, requests)."""
    epsilon: Numbers | None
    """Privacy loss (requests,); None where training was not private."""
    forgotten: Numbers | None = None
    """Accuracy of the original and of the unlearned model on the deleted records (2, requests); None where a request
    deletes none. Submissions of before they were measured have neither this nor what follows."""
    passes: Numbers | None = None
    """Record passes over those of a retraining (requests,); None where one is not counted."""
    outcomes: NDArray[np.bool_] | None = None
    """Has the unlearned model collapsed, is it unmoved (2, requests)."""
    relearned: Numbers | None = None
    """After how many epochs the unlearned model knows deleted records again (requests,); None where nobody tried."""
    memory: Numbers | None = None
    """Bytes held at the peak of serving an original's requests (requests,); None where nobody measured."""

    @classmethod
    def of(cls, matched: Ids, utility: Utility) -> GroupArrays:
        """Take apart what is known of a group's models."""
        accuracies = (
            utility.train_accuracy_original,
            utility.test_accuracy_original,
            utility.train_accuracy_unlearned,
            utility.test_accuracy_unlearned,
        )
        return cls(
            matched,
            np.stack(accuracies),
            np.stack([utility.seconds_to_train, utility.seconds_to_unlearn]),
            _finite(utility.epsilon),
            _finite(np.stack([utility.forget_accuracy_original, utility.forget_accuracy_unlearned])),
            _finite(utility.passes),
            np.stack([utility.collapsed, utility.unmoved]),
            _finite(utility.relearned),
            _finite(utility.memory_to_unlearn),
        )

    def utility(self, episode: Ids) -> Utility:
        """Put them together again; ``episode`` (requests,) is the original of each request."""
        requests = len(episode)
        train, test, train_unlearned, test_unlearned = self.accuracies
        forget, forget_unlearned = _or(self.forgotten, np.full((2, requests), np.nan))
        collapsed, unmoved = _or(self.outcomes, np.zeros((2, requests), dtype=np.bool_))
        to_train, to_unlearn = self.seconds
        return Utility(
            episode,
            train,
            test,
            train_unlearned,
            test_unlearned,
            forget,
            forget_unlearned,
            to_train,
            to_unlearn,
            _or(self.passes, np.full(requests, np.nan)),
            collapsed,
            unmoved,
            _or(self.epsilon, np.full(requests, np.inf)),
            _or(self.relearned, np.full(requests, np.nan)),
            _or(self.memory, np.full(requests, np.nan)),
        )


def _finite(values: Numbers) -> Numbers | None:
    return values if np.isfinite(values).all() else None


def _or(values: NDArray[Scalar] | None, otherwise: NDArray[Scalar]) -> NDArray[Scalar]:
    return otherwise if values is None else values


def read_group(group: CellGroup, store: Store) -> GroupArrays:
    """Return the shared arrays of a group that was run; ``FailedElsewhereError`` where an episode is not there.

    UserError where a scenario asks for more matched negatives than the suite has.
    """
    episodes = [read_episode(task, store) for task in group.target]
    rows = QueriedRows.of(Observations.concatenate([episode.observations for episode in episodes]))
    most = group.target[0].sizes.matched
    try:
        return GroupArrays.of(rows.matched(most), utility(episodes))
    except IndexError:
        name = group.target[0].scenario.label
        raise UserError(f"scenario {name} asks for more than the {most} matched negatives of the suite") from None
