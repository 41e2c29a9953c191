"""Metadata made to do harm: each is refused with findings, and nothing that they name is looked for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.submissions.conftest import Copy


pytestmark = pytest.mark.usefixtures("untouched")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"schema": NaN}',
        '{"schema": Infinity}',
        '{"schema": 1, "schema": 1}',
        "[" * 10**5,
        '{"a":' * 10**5,
        "1" * 10**5,
        "\xff",
    ],
    ids=range(10),
)
def test_metadata_that_are_not_plain_json_are_refused(copy: Copy, text: str) -> None:
    copy.document.write_bytes(text.encode("latin-1"))
    (line,) = copy.found()
    assert line.startswith("submission.json: is not ")


def set_(*path: str | int) -> Callable[[object], Callable[[Any], None]]:
    def to(value: object) -> Callable[[Any], None]:
        def change(data: Any) -> None:
            for step in path[:-1]:
                data = data[step]
            data[path[-1]] = value

        return change

    return to


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (set_("name")("<script>alert(1)</script>"), "submission.json:name: Value error, must be up to 100 letters"),
        (set_("author")("x\x1b[2J"), "submission.json:author: Value error, must be up to 100 letters"),
        (set_("author")("e\u0301"), "submission.json:author: Value error, must be in composed letters"),
        (set_("environment", "python")("<img src=x onerror=alert(1)>"), "submission.json:environment.python: String"),
        (set_("environment", "<b>")("3.11"), "submission.json:environment."),
        (
            set_("environment")({"python": "3.11"}),
            "submission.json:environment: Value error, must tell system, processor",
        ),
        (set_("environment", "x" * 41)("3.11"), "String should have at most 40 characters"),
        (set_("environment", "python")("x" * 201), "environment.python: String should have at most 200 characters"),
        (set_("environment", "python")("3\u202e11"), "environment.python: String should match pattern"),
        (
            set_("environment")({f"k{n}": "" for n in range(900_000)}),
            "environment: Dictionary should have at most 40 items",
        ),
        (
            set_("plugins", 0, "declares")({f"k{n}": "" for n in range(41)}),
            "declares: Dictionary should have at most 40",
        ),
        (set_("plugins", 0, "declares", "x")([""] * 41), "List should have at most 40 items"),
        (
            set_("estimates", 0, "details")({f"k{n}": 0.5 for n in range(41)}),
            "details: Dictionary should have at most 40",
        ),
        (set_("schema")(2), "submission.json: its schema 2 is not the one that this version reads, 3"),
        (set_("schema")(True), "submission.json:schema: Input should be a valid integer"),
        (set_("extra")(1), "submission.json:extra: Extra inputs are not permitted"),
        (set_("arrays")(10**9), "submission.json:arrays: Input should be less than"),
        (set_("benches", 0, "cells", 0, "scores")(-1), "cells.0.scores: Input should be greater than or equal to 0"),
        (set_("benches", 0, "cells", 0, "scores")("0"), "cells.0.scores: Input should be a valid integer"),
        (set_("benches", 0, "device")("/dev/sda"), "benches.0.device: Input should be 'cpu', 'cuda' or 'mps'"),
        (set_("benches", 0, "model")("x" * 2000), "benches.0.model: String should have at most 1000 characters"),
        (set_("estimates")([{}] * 200_001), "submission.json:estimates: List should have at most 200000 items"),
        (set_("plugins")([{}] * 1001), "submission.json:plugins: List should have at most 1000 items"),
        (set_("benches")([1]), "submission.json:benches.0: Input should be"),
        (set_("estimates", 0, "value")("high"), "submission.json:estimates.0.value: Input should be a valid number"),
        (set_("arrays_address")("file:///etc/passwd"), "submission.json:arrays_address: String should match"),
        (set_("arrays_address")("https://x/<b>"), "submission.json:arrays_address: String should match"),
        (set_("arrays_bytes")(-1), "submission.json:arrays_bytes: Input should be greater"),
        (
            set_("shared")({"entry": "../x", "arrays": 1, "arrays_sha256": "0" * 64}),
            "submission.json:shared.entry: String",
        ),
        (set_("arrays_sha256")("../../etc/passwd"), "submission.json:arrays_sha256: String should match"),
        (set_("cost", "train_seconds")(-1.0), "submission.json:cost.train_seconds: Input should be greater"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_metadata_of_another_form_are_refused(copy: Copy, change: Callable[[Any], None], found: str) -> None:
    data = copy.data
    change(data)
    copy.document.write_text(json.dumps(data))
    assert any(found in line for line in copy.found())


def test_a_number_too_large_for_a_float_is_refused(copy: Copy) -> None:
    copy.document.write_text(re.sub(r'"low": ?0\.\d+', '"low": 1e999', copy.document.read_text(), count=1))
    assert any("low: Input should be a finite number" in line for line in copy.found())


@pytest.mark.parametrize("value", ['"\\ud800"', "1e999"])
def test_what_has_no_digest_is_refused(copy: Copy, value: str) -> None:
    copy.document.write_text(copy.document.read_text().replace('"suite":"small"', f'"suite":"small","x":{value}', 1))
    (line,) = copy.found()
    assert "holds what no suite holds, and has no digest" in line


def test_a_suite_whose_name_is_a_path_is_found_and_read_from_nowhere(copy: Copy) -> None:
    found = copy.forge(lambda data: data["suite"].update(suite="../../../../etc/passwd"))
    assert any("is not 'small' of small.yaml" in line for line in found)


def test_a_bench_repeated_a_thousand_times_is_measured_once(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    from unlearnbench.submissions import remeasure

    calls: list[int] = []
    real = remeasure.Remeasurer.derive

    def derive(*given: Any) -> Any:
        calls.append(1)
        return real(*given)

    monkeypatch.setattr(remeasure.Remeasurer, "derive", derive)
    copy.forge(lambda data: data["benches"].extend([data["benches"][0]] * 1000))
    assert len(calls) == len(copy.data["benches"]) - 1000
