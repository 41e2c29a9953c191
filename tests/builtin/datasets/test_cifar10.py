from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.builtin.datasets import cifar10
from unlearnbench.builtin.datasets.cifar10 import MEMBERS, Cifar10
from unlearnbench.core.dataset_cards import card
from unlearnbench.core.errors import UserError

Images = NDArray[np.uint8]


def archive(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as file:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return content.getvalue()


def official(images: Images, labels: list[int]) -> bytes:
    """An image a batch, written as the CIFAR-10 page describes: label, then red, green and blue row by row."""
    lines = [bytes([label]) + image.transpose(2, 0, 1).tobytes() for image, label in zip(images, labels, strict=True)]
    return archive(dict(zip(MEMBERS, lines, strict=True)))


@pytest.fixture
def images() -> Images:
    return np.random.default_rng(0).integers(0, 256, size=(6, 32, 32, 3), dtype=np.uint8)


@pytest.fixture
def six_images(images: Images, stand_in: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(cifar10, official(images, [9, 0, 3, 3, 1, 5]), "OFFICIAL")
    monkeypatch.setattr(cifar10, "ROWS", cifar10.ROWS | {"official": 6})


@pytest.mark.usefixtures("six_images")
def test_planes_of_colour_become_pixels_again(images: Images) -> None:
    records = Cifar10().load()
    np.testing.assert_array_equal(records.x, images)
    assert records.x.dtype == np.float64
    assert records.y.tolist() == [9, 0, 3, 3, 1, 5]
    assert records.class_names[9] == "truck"
    assert records.bounds == (0, 255)


@pytest.mark.usefixtures("six_images")
def test_the_size_bounds_what_is_loaded(images: Images) -> None:
    records = Cifar10(size=2).load()
    assert "2 of 6 images" in records.provenance.note
    assert all(any((image == other).all() for other in images) for image in records.x)


def test_an_archive_without_a_batch_is_a_user_error(stand_in: Callable[..., None]) -> None:
    stand_in(cifar10, archive({"readme.html": b""}), "OFFICIAL")
    with pytest.raises(UserError, match=r"holds no file cifar-10-batches-bin/data_batch_1.bin"):
        Cifar10().load()


def test_a_version_is_never_read_in_the_place_of_another(
    roots: tuple[Path, Path], stand_in: Callable[..., None], monkeypatch: pytest.MonkeyPatch, images: Images
) -> None:
    content = io.BytesIO()
    np.savez(content, x=images, y=np.arange(6, dtype=np.uint8))
    stand_in(cifar10, content.getvalue(), "FIRST4000")
    assert Cifar10("first4000").availability().available
    assert not Cifar10("official").availability().available
    assert not Cifar10("jpeg").availability().available
    with pytest.raises(UserError, match=r"cifar10_jpeg_q75.npz is missing"):
        Cifar10("jpeg").load()


def test_the_jpeg_copy_is_decoded_by_its_header_and_offsets(
    stand_in: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three images of one grey level each, which JPEG keeps; two for training, one for testing."""
    image = pytest.importorskip("PIL.Image")
    greys = [0, 100, 200]
    files = []
    for grey in greys:
        file = io.BytesIO()
        image.new("RGB", (32, 32), (grey, grey, grey)).save(file, "JPEG", quality=75)
        files.append(file.getvalue())
    shared = 20  # all begin with the same bytes
    scans = [np.frombuffer(file[shared:], np.uint8) for file in files]
    content = io.BytesIO()
    np.savez(
        content,
        header=np.frombuffer(files[0][:shared], np.uint8),
        scan_train=np.concatenate(scans[:2]),
        off_train=np.cumsum([0, len(scans[0]), len(scans[1])]),
        y_train=np.array([4, 2], np.uint8),
        scan_test=scans[2],
        off_test=np.array([0, len(scans[2])]),
        y_test=np.array([8], np.uint8),
    )
    stand_in(cifar10, content.getvalue(), "JPEG")
    monkeypatch.setattr(cifar10, "ROWS", cifar10.ROWS | {"jpeg": 3})
    records = Cifar10("jpeg").load()
    assert records.y.tolist() == [4, 2, 8]
    assert [np.unique(x).tolist() for x in records.x] == [[0], [100], [200]]
    assert "lossy" in records.provenance.note


@pytest.mark.skipif(
    not Cifar10("first4000").availability().available, reason=f"UNLEARNBENCH_DATA has no {cifar10.FIRST4000.name}"
)
def test_the_real_first_images_have_the_known_labels_and_no_duplicates() -> None:
    records = Cifar10("first4000").load()
    described = card(records)
    assert (described.rows, described.features, described.duplicates) == (4_000, 3_072, 0)
    assert records.y[:10].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]


@pytest.mark.slow
@pytest.mark.skipif(
    not Cifar10("jpeg").availability().available, reason=f"UNLEARNBENCH_DATA has no {cifar10.JPEG.name}"
)
def test_the_real_jpeg_copy_looks_like_the_lossless_images() -> None:
    """Each of a few lossless images has a copy that differs by some grey levels at most."""
    pytest.importorskip("PIL.Image")
    if not Cifar10("first4000").availability().available:
        pytest.skip(f"UNLEARNBENCH_DATA has no {cifar10.FIRST4000.name}")
    copies, lossless = Cifar10("jpeg", size=20_000).load(), Cifar10("first4000", size=30).load()
    errors = []
    for x, y in zip(lossless.x, lossless.y, strict=True):
        same_class = copies.x[copies.y == y]
        errors.append(np.abs(same_class.mean(axis=(1, 2, 3)) - x.mean()).argsort()[:50])
        errors[-1] = np.abs(same_class[errors[-1]] - x).mean(axis=(1, 2, 3)).min()
    assert 4 <= sum(error < 10 for error in errors) < 20  # a third of the copies was drawn
