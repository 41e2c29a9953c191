from __future__ import annotations

import io
import tarfile
from collections.abc import Callable

import numpy as np
import pytest

from unlearnbench.builtin.datasets import stl10
from unlearnbench.builtin.datasets.stl10 import MEMBERS, Stl10
from unlearnbench.core.dataset_cards import card
from unlearnbench.core.errors import UserError

IMAGES = np.random.default_rng(0).integers(0, 256, size=(3, 96, 96, 3), dtype=np.uint8)


def archive(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as file:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return content.getvalue()


def by_column() -> list[bytes]:
    """The images as STL-10 has them: red, green and blue, each column by column."""
    return [image.transpose(2, 1, 0).tobytes() for image in IMAGES]


@pytest.fixture
def three_images(stand_in: Callable[..., None]) -> None:
    first, second, third = by_column()
    parts = (first + second, bytes([1, 10]), third, bytes([4]))
    members = {"stl10_binary/unlabeled_X.bin": bytes(1000), **dict(zip(MEMBERS, parts, strict=True))}
    stand_in(stl10, archive(members))


@pytest.mark.usefixtures("three_images")
def test_columns_of_colour_become_pixels_again_and_classes_count_from_0() -> None:
    records = Stl10().load()
    np.testing.assert_array_equal(records.x, IMAGES)
    assert records.x.dtype == np.float64
    assert records.y.tolist() == [0, 9, 3]
    assert records.bounds == (0, 255)


@pytest.mark.usefixtures("three_images")
def test_the_size_bounds_what_is_loaded() -> None:
    assert card(Stl10(size=2).load()).rows == 2


def test_an_archive_that_lacks_a_part_is_a_user_error(stand_in: Callable[..., None]) -> None:
    stand_in(stl10, archive({MEMBERS[0]: by_column()[0]}))
    with pytest.raises(UserError, match="holds only 1 of the 4 labelled parts"):
        Stl10().load()
