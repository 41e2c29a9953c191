"""Loading suites: what they mean."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.suite.texts import FULL, MINIMAL
from unlearnbench.core.pools import EpisodeSizes
from unlearnbench.core.references import ReferenceSizes
from unlearnbench.hooks.registry import Registry
from unlearnbench.suite.keys import DEFAULTS
from unlearnbench.suite.load import load_suite, read_header
from unlearnbench.suite.model import Suite
from unlearnbench.suite.yaml import dump_yaml

Load = Callable[[str], Suite]
Error = Callable[[str], str]


def test_a_minimal_suite_gets_the_documented_defaults(load: Load) -> None:
    suite = load(MINIMAL)
    assert (suite.name, suite.version, suite.description) == ("mine", 1, "")
    assert suite.seeds == (0,)
    assert [ref.name for ref in suite.scenarios] == ["single"]
    assert [ref.name for ref in suite.defenses] == ["none"]
    assert [ref.name for ref in suite.metrics] == DEFAULTS["metrics"]
    assert (suite.engine, suite.device, suite.exclude, suite.plugins) == ("auto", "auto", (), ())
    assert suite.sizes(suite.datasets[0], "target") == EpisodeSizes()
    assert suite.sizes(suite.datasets[0], "shadow") == EpisodeSizes()


def test_parameters_are_resolved_with_their_defaults(load: Load) -> None:
    first, second, _ = load(FULL).models
    assert first.params == {
        "max_leaf_nodes": 10,
        "criterion": "gini",
        "rate": 0.5,
        "exact": False,
        "layers": [64, 32],
        "note": "",
    }
    assert second.params == {**first.params, "max_leaf_nodes": 20, "rate": 1.0, "layers": [8]}


def test_a_label_tells_the_parameters_that_are_not_the_default(load: Load) -> None:
    assert [ref.label for ref in load(FULL).models] == [
        "decision-tree",
        "decision-tree(layers=[8], max_leaf_nodes=20, rate=1.0)",
        "logistic-regression",
    ]


def test_a_label_tells_a_required_parameter_always(load: Load) -> None:
    assert load(FULL).scenarios[1].label == "group(size=20)"


@pytest.mark.parametrize(
    ("note", "label"),
    [("plain", "plain"), ("'1'", '"1"'), ("'true'", '"true"'), ("a b", '"a b"'), ("'a,b'", '"a,b"'), ("''", None)],
)
def test_text_in_a_label_cannot_be_taken_for_another_value(load: Load, note: str, label: str) -> None:
    suite = load(MINIMAL.replace("[decision-tree]", f"[{{name: decision-tree, params: {{note: {note}}}}}]"))
    assert suite.models[0].label == (f"decision-tree(note={label})" if label else "decision-tree")


def test_writing_a_default_out_changes_nothing(load: Load) -> None:
    written = load(MINIMAL.replace("[decision-tree]", "[{name: decision-tree, params: {max_leaf_nodes: 10}}]"))
    assert written == load(MINIMAL)
    assert written.sha256 == load(MINIMAL).sha256


def test_sizes_of_a_data_set_go_before_those_of_the_suite(load: Load) -> None:
    suite = load(FULL)
    adult, digits = suite.datasets
    assert suite.sizes(adult, "target") == EpisodeSizes(originals=5, requests=10)
    assert suite.sizes(adult, "shadow") == EpisodeSizes(originals=2, requests=10)
    assert suite.sizes(digits, "target") == EpisodeSizes(originals=5, requests=10, records=400)
    assert suite.sizes(digits, "shadow") == EpisodeSizes(originals=2, requests=3, records=400)


def test_one_original_is_allowed(load: Load) -> None:
    suite = load(MINIMAL + "episodes: {originals: 1, requests: 1, records: 2, negatives: 1, matched: 0, retained: 0}")
    assert asdict(suite.datasets[0].episodes) == {
        "originals": 1,
        "requests": 1,
        "records": 2,
        "negatives": 1,
        "matched": 0,
        "retained": 0,
    }


def test_excluded_cells_are_not_counted_and_tell_why(load: Load) -> None:
    suite = load(FULL)
    assert suite.excluded({"dataset": "digits", "model": "decision-tree", "unlearner": "none"}) == "saves time"
    assert suite.excluded({"dataset": "adult", "model": "decision-tree", "unlearner": "none"}) is None
    assert suite.excluded({"model": "logistic-regression"}) == "not here"
    # seeds x models x scenarios x defenses x attacks x (both unlearners on adult, one on digits)
    assert suite.n_cells == 2 * 2 * 2 * 2 * 2 * (2 + 1)


def test_what_to_dict_gives_loads_as_the_same_suite(load: Load) -> None:
    suite = load(FULL)
    again = load(dump_yaml(suite.to_dict()))
    assert again == suite
    assert again.to_dict() == suite.to_dict()
    assert again.sha256 == suite.sha256


def test_to_dict_is_plain_json(load: Load) -> None:
    suite = load(FULL)
    assert json.loads(json.dumps(suite.to_dict(), allow_nan=False)) == suite.to_dict()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version: 3", "version: 4"),
        ("[0, 7]", "[0, 8]"),
        ("max_leaf_nodes: 20", "max_leaf_nodes: 21"),
        ("{records: 400}", "{records: 401}"),
        ("{originals: 2}", "{originals: 3}"),
        ("saves time", "saves money"),
        ("device: cpu", "device: cuda"),
    ],
)
def test_suites_that_differ_have_different_hashes(load: Load, old: str, new: str) -> None:
    assert load(FULL.replace(old, new)).sha256 != load(FULL).sha256


def test_a_suite_is_the_same_wherever_it_lies(tmp_path: Path, registry: Registry) -> None:
    (tmp_path / "elsewhere").mkdir()
    paths = [tmp_path / "mine.yaml", tmp_path / "elsewhere" / "mine.yaml"]
    for path in paths:
        path.write_text(FULL)
    one, other = (load_suite(path, registry)[0] for path in paths)
    assert one == other
    assert one.sha256 == other.sha256


def test_plugin_references_can_be_keys(load: Load) -> None:
    suite = load(FULL)
    assert len({*suite.models, *suite.datasets, *load(FULL).models}) == len(suite.models) + len(suite.datasets)


def test_a_header_is_read_without_knowing_any_plugin(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(MINIMAL.replace("adult", "unheard-of"))
    assert read_header(path) == {"suite": "mine", "version": 1, "description": ""}


TRANSFER = MINIMAL.replace(
    "[decision-tree]",
    "[decision-tree, {name: decision-tree, shadow: {name: decision-tree, params: {max_leaf_nodes: 20}}}]",
)


def test_an_entry_may_say_what_the_adversary_has_in_its_place(load: Load) -> None:
    own, transfer = load(TRANSFER).models
    assert own.on("shadow") == own
    assert transfer.label == "decision-tree, shadow decision-tree(max_leaf_nodes=20)"
    assert transfer.on("target").params["max_leaf_nodes"] == 10
    assert transfer.on("shadow").params["max_leaf_nodes"] == 20


def test_a_suite_with_another_shadow_can_be_written_out_and_read_again(load: Load) -> None:
    suite = load(TRANSFER)
    assert load(json.dumps(suite.to_dict())) == suite
    assert suite.sha256 != load(MINIMAL).sha256


def test_a_shadow_that_equals_the_target_is_rejected(error: Error) -> None:
    same = MINIMAL.replace("[decision-tree]", "[{name: decision-tree, shadow: decision-tree}]")
    assert error(same) == "4:40: the adversary uses decision-tree anyway; leave this key out"


SIZED = MINIMAL.replace("[adult]", "[adult, {name: adult, label: one shadow, adversary: {originals: 1}}]")


def test_one_data_set_is_listed_twice_under_labels(load: Load) -> None:
    suite = load(SIZED)
    assert [ref.label for ref in suite.datasets] == ["adult", "one shadow"]
    assert [ref.adversary.originals for ref in suite.datasets] == [10, 1]
    assert load(json.dumps(suite.to_dict())) == suite


REFERENCES = MINIMAL + "adversary: {references: 8, per_request: 5, population: 30, copies: 3, boundary: 500}\n"


def test_reference_models_are_written_out_and_read_again(load: Load) -> None:
    suite = load(REFERENCES)
    assert suite.datasets[0].references == ReferenceSizes(8, 5, 30, 3, 500)
    assert suite.datasets[0].adversary == suite.datasets[0].episodes
    assert load(json.dumps(suite.to_dict())) == suite
    assert suite.sha256 != load(MINIMAL).sha256


def test_a_data_set_may_have_other_reference_models_than_the_suite(load: Load) -> None:
    own = REFERENCES.replace("[adult]", "[{name: adult, adversary: {references: 64}}]")
    assert load(own).datasets[0].references == ReferenceSizes(64, 5, 30, 3, 500)


@pytest.mark.parametrize("key", ["references", "per_request", "population", "copies", "boundary"])
def test_the_target_has_no_reference_models(error: Error, key: str) -> None:
    assert f'unknown key "{key}"' in error(MINIMAL + f"episodes: {{{key}: 4}}\n")


@pytest.mark.parametrize(
    ("size", "told"),
    [
        ("references: -1", "references: must be an integer from 0 to 10000"),
        ("references: 10001", "references: must be an integer from 0 to 10000"),
        ("per_request: 0", "per_request: must be an integer from 1 to"),
        ("population: many", "population: must be an integer from 0 to"),
        ("copies: -1", "copies: must be an integer from 0 to 10000"),
        ("boundary: -1", "boundary: must be an integer from 0 to 100000"),
        ("boundary: 100001", "boundary: must be an integer from 0 to 100000"),
        ("boundary: true", "boundary: must be an integer from 0 to 100000"),
    ],
)
def test_a_number_of_reference_models_out_of_range_is_refused(error: Error, size: str, told: str) -> None:
    assert told in error(MINIMAL + f"adversary: {{{size}}}\n")
