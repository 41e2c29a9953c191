"""A scheduler is talked to where nobody else can listen, or where the user says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unlearnbench.builtin.executors.dask.address import Address, read_address
from unlearnbench.builtin.executors.dask.executor import DaskExecutor
from unlearnbench.core.errors import UserError


@pytest.mark.parametrize(
    "address", ["tls://10.0.0.5:8786", "tcp://127.0.0.1:8786", "tcp://localhost:8786", "tcp://[::1]:8786"]
)
def test_encrypted_and_local_addresses_are_taken(address: str) -> None:
    assert Address(address).scheduler == address


@pytest.mark.parametrize("address", ["tcp://10.0.0.5:8786", "tcp://cluster.example:8786", "tcp://0.0.0.0:1"])
def test_a_network_without_encryption_needs_a_word_that_says_what_it_risks(address: str) -> None:
    with pytest.raises(UserError, match=r"whoever reaches it runs code as you.*insecure_network=true$"):
        Address(address)
    assert Address(address, insecure_network=True).scheduler == address


@pytest.mark.parametrize("address", ["10.0.0.5:8786", "http://10.0.0.5", "tls://", "", "tls:host", "ucx://h:1"])
def test_what_is_no_address_is_refused_with_one_that_is(address: str) -> None:
    with pytest.raises(UserError, match=r"is no address; write tls://HOST:PORT"):
        Address(address)


def test_an_executor_with_a_wrong_address_is_not_made() -> None:
    with pytest.raises(UserError, match=r"is no address"):
        DaskExecutor("here")
    with pytest.raises(UserError, match=r"give one of them"):
        DaskExecutor("tls://10.0.0.5:8786", scheduler_file="file")
    with pytest.raises(UserError, match=r"workers: must be at least 1, got 0"):
        DaskExecutor(workers=0)


def test_tls_without_certificates_is_refused() -> None:
    pytest.importorskip("distributed")
    with pytest.raises(UserError, match=r"needs ca, cert and key"):
        Address("tls://127.0.0.1:1").security()
    assert Address("tcp://127.0.0.1:1").security() is None


def test_the_address_is_read_from_the_file_that_a_scheduler_writes(tmp_path: Path) -> None:
    file = tmp_path / "scheduler.json"
    file.write_text(json.dumps({"type": "Scheduler", "address": "tcp://10.0.0.5:8786"}))
    assert read_address(file) == "tcp://10.0.0.5:8786"
    with pytest.raises(UserError, match="whoever reaches it"):
        list(DaskExecutor(scheduler_file=str(file)).run(len, ["task"]))  # type: ignore[arg-type]  # not reached


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "7", "\x00"])
def test_a_file_without_an_address_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "scheduler.json"
    file.write_text(content)
    with pytest.raises(UserError, match=r"scheduler.json: cannot read the scheduler file: it holds no address"):
        read_address(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none.json: cannot read the scheduler file: No such file or directory"):
        read_address(tmp_path / "none.json")
