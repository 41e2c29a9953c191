from __future__ import annotations

import gzip
import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.builtin.datasets import fashion_mnist, mnist
from unlearnbench.builtin.datasets.fashion_mnist import FashionMnist
from unlearnbench.builtin.datasets.files import DataFile
from unlearnbench.builtin.datasets.idx_images import NAMES
from unlearnbench.builtin.datasets.mnist import Mnist
from unlearnbench.core.dataset_cards import card

IMAGES = np.arange(5 * 28 * 28).astype(np.uint8).reshape(5, 28, 28)
LABELS = np.array([7, 0, 9, 9, 1], dtype=np.uint8)
MNIST = "8231b93f870d41e05299c635dc42c22432efc9befb692cb14ca53e7512e78a05"
FASHION = "444f1093d9b4ca590f495ac42a9ceb959d4a13597f458c670c8b893ad1a7d61e"


def packed(array: NDArray[np.uint8]) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return gzip.compress(header + array.tobytes())


def write_four(folder: Path, files: tuple[DataFile, ...]) -> tuple[DataFile, ...]:
    """Write three training and two test images, and return the files with their checksums pinned."""
    folder.mkdir(parents=True)
    contents = [packed(part) for part in (IMAGES[:3], LABELS[:3], IMAGES[3:], LABELS[3:])]
    for name, content in zip(NAMES, contents, strict=True):
        (folder / name).write_bytes(content)
    sums = (hashlib.sha256(content).hexdigest() for content in contents)
    return tuple(replace(file, sha256=sha256) for file, sha256 in zip(files, sums, strict=True))


def test_the_four_files_become_one_set_of_images(roots: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    files = write_four(roots[0] / "fashion_mnist", fashion_mnist.FILES)
    monkeypatch.setattr(fashion_mnist, "FILES", files)
    records = FashionMnist().load()
    np.testing.assert_array_equal(records.x, IMAGES)
    assert records.x.dtype == np.float64
    assert records.y.tolist() == LABELS.tolist()
    assert records.provenance.note.startswith("all images; ")
    assert records.bounds == (0, 255)


def test_the_size_bounds_what_is_loaded_and_the_note_says_so(
    roots: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write_four(roots[0] / "fashion_mnist", fashion_mnist.FILES)
    monkeypatch.setattr(fashion_mnist, "FILES", files)
    records = FashionMnist(size=2).load()
    assert len(records) == 2
    assert records.provenance.note.startswith("2 of 5 images, drawn by a fixed key")


def test_mnist_is_the_same_from_one_file_and_from_four(
    roots: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, stand_in: Callable[..., None]
) -> None:
    monkeypatch.setattr(mnist, "FILES", write_four(roots[0] / "mnist", mnist.FILES))
    from_four = Mnist().load()
    content = io.BytesIO()
    np.savez(content, x_train=IMAGES[:3], y_train=LABELS[:3], x_test=IMAGES[3:], y_test=LABELS[3:])
    stand_in(mnist, content.getvalue(), "TOGETHER")
    assert Mnist().files() == (mnist.TOGETHER,)
    assert Mnist().load().sha256 == from_four.sha256


@pytest.mark.slow
@pytest.mark.skipif(not Mnist().availability().available, reason="MNIST is not under UNLEARNBENCH_DATA or in the cache")
def test_the_real_mnist_has_the_known_classes_and_no_duplicates() -> None:
    described = card(Mnist().load())
    assert (described.rows, described.features, described.duplicates) == (10_000, 784, 0)
    assert described.sha256 == MNIST
    everything = np.bincount(Mnist(size=None).load().y)
    assert everything.tolist() == [6_903, 7_877, 6_990, 7_141, 6_824, 6_313, 6_876, 7_293, 6_825, 6_958]


@pytest.mark.slow
@pytest.mark.skipif(
    not FashionMnist().availability().available, reason="Fashion-MNIST is not under UNLEARNBENCH_DATA or in the cache"
)
def test_the_real_fashion_mnist_has_even_classes_and_no_duplicates() -> None:
    described = card(FashionMnist().load())
    assert (described.rows, described.features, described.duplicates) == (10_000, 784, 0)
    assert described.sha256 == FASHION
    assert np.bincount(FashionMnist(size=None).load().y).tolist() == [7_000] * 10
