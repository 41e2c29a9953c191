from __future__ import annotations

import numpy as np
import pytest

from unlearnbench.core.dataset_cards import Availability, DatasetCard, Located, card
from unlearnbench.core.records import Provenance, Records


def _records(class_names: tuple[str, ...] = ()) -> Records:
    x = np.array([[0.0, 1.0], [2.0, 3.0], [0.0, 1.0], [4.0, 5.0]])
    return Records("toy", x, np.array([0, 2, 2, 2]), 3, Provenance("somewhere", "CC0", "made up"), (), class_names)


def test_a_card_counts_rows_features_classes_and_duplicates() -> None:
    records = _records(("a", "b", "c"))
    assert card(records) == DatasetCard(
        name="toy",
        rows=4,
        features=2,
        classes=(("a", 1), ("b", 0), ("c", 3)),
        duplicates=2,
        licence="CC0",
        source="somewhere",
        note="made up",
        sha256=records.sha256,
    )


def test_classes_without_a_name_go_by_their_number() -> None:
    assert [name for name, _ in card(_records()).classes] == ["0", "1", "2"]


def test_the_majority_is_the_share_of_the_largest_class() -> None:
    assert card(_records()).majority == pytest.approx(3 / 4)


def test_features_of_images_are_all_their_pixels() -> None:
    images = Records("toy", np.zeros((2, 3, 4)), np.array([0, 1]), 2, Provenance("", ""))
    assert card(images).features == 12


def test_whatever_has_whereabouts_is_located() -> None:
    class Here:
        def availability(self) -> Availability:
            return Availability(True, "here")

    assert isinstance(Here(), Located)
    assert not isinstance(object(), Located)
