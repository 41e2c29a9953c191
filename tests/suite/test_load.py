"""Loading suites: what they mean, and what is refused with which line."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unlearnbench.core.errors import UserError
from unlearnbench.core.pools import SIZES, EpisodeSizes
from unlearnbench.core.references import ReferenceSizes
from unlearnbench.hooks.registry import Registry
from unlearnbench.suite.keys import DEFAULTS, KEYS
from unlearnbench.suite.load import load_suite, read_header
from unlearnbench.suite.model import AXES, Suite
from unlearnbench.suite.yaml import dump_yaml

Load = Callable[[str], Suite]
Error = Callable[[str], str]

MINIMAL = """\
suite: mine
version: 1
datasets: [adult]
models: [decision-tree]
unlearners: [retrain]
attacks: [sorted-diff]
"""

FULL = """\
suite: mine
version: 3
description: All keys at once.
seeds: [0, 7]
datasets:
  - adult
  - {name: digits, episodes: {records: 400}, adversary: {requests: 3}}
models:
  - decision-tree
  - {name: decision-tree, params: {max_leaf_nodes: 20, rate: 1, layers: [8]}}
  - logistic-regression
unlearners: [retrain, none]
scenarios: [single, {name: group, params: {size: 20}}]
defenses: [none, label-only]
attacks: [classical, sorted-diff]
metrics: [auc]
episodes: {originals: 5, requests: 10}
adversary: {originals: 2}
exclude:
  - {dataset: digits, unlearner: none, because: saves time}
  - {model: logistic-regression, because: "not here"}
engine: reference
device: cpu
"""


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


@pytest.mark.parametrize(
    ("line", "instead", "message"),
    [
        # the top
        ("version: 1\n", "", '1:1: the key "version" is missing'),
        ("attacks: [sorted-diff]\n", "", '1:1: the key "attacks" is missing'),
        ("models:", "modles:", '4:1: unknown key "modles"; did you mean "models"?'),
        (
            "suite: mine",
            "suite: Mine",
            '1:8: a suite\'s name is lower-case words and digits joined by hyphens, got "Mine"',
        ),
        ("suite: mine", "suite: yours", '1:8: the suite is named "yours" but its file "mine.yaml"; they must be equal'),
        ("suite: mine", "suite: 3", "1:8: must be text, got 3"),
        ("version: 1", "version: 0", "2:10: must be an integer from 1 to 1000000, got 0"),
        ("version: 1", "version: '1'", '2:10: must be an integer from 1 to 1000000, got "1"'),
        ("version: 1", "version: true", "2:10: must be an integer from 1 to 1000000, got true"),
        ("version: 1", "version: 1.0", "2:10: must be an integer from 1 to 1000000, got 1.0"),
        ("version: 1", "version: 1\ndescription: ''", '3:14: must be text, got ""'),
        ("version: 1", "version: 1\nengine: swift", '3:9: must be one of auto, fast, reference, got "swift"'),
        ("version: 1", "version: 1\ndevice: 0", "3:9: must be one of auto, cpu, cuda, mps, got 0"),
        ("version: 1", "version: 1\ndevice: [cpu]", "3:9: must be one of auto, cpu, cuda, mps, got a list"),
        # seeds
        ("version: 1", "version: 1\nseeds: 0", "3:8: must be a list of seeds, got 0"),
        (
            "version: 1",
            "version: 1\nseeds: []",
            "3:8: must list at least one of seeds; leave the key out where it is optional",
        ),
        ("version: 1", "version: 1\nseeds: [0, -1]", "3:12: must be an integer from 0 to 9223372036854775807, got -1"),
        ("version: 1", "version: 1\nseeds: [no]", '3:9: must be an integer from 0 to 9223372036854775807, got "no"'),
        (
            "version: 1",
            "version: 1\nseeds: [4, 5, 4]",
            "3:15: the seed 4 is listed twice, first in line 3; keep one of them",
        ),
        # entries
        ("models: [decision-tree]", "models:", "4:8: must be a list of models, got nothing"),
        ("models: [decision-tree]", "models: decision-tree", '4:9: must be a list of models, got "decision-tree"'),
        (
            "models: [decision-tree]",
            "models: []",
            "4:9: must list at least one of models; leave the key out where it is optional",
        ),
        (
            "models: [decision-tree]",
            "models: [3]",
            "4:10: must be the name of one of the models, or name and params, got 3",
        ),
        ("models: [decision-tree]", "models: ['']", '4:10: must be text, got ""'),
        (
            "models: [decision-tree]",
            "models: [decision-tre]",
            '4:10: unknown model "decision-tre"; did you mean "decision-tree"?',
        ),
        (
            "models: [decision-tree]",
            "models:\n  - {nam: decision-tree}",
            '5:6: unknown key "nam"; did you mean "name"?',
        ),
        ("models: [decision-tree]", "models:\n  - {params: {}}", '5:5: the key "name" is missing'),
        ("models: [decision-tree]", "models:\n  - {name: [x]}", "5:12: must be text, got a list"),
        (
            "models: [decision-tree]",
            "models:\n  - {name: decision-tree, params: [1]}",
            "5:35: must be a mapping (key: value), got a list",
        ),
        (
            "models: [decision-tree]",
            "models:\n  - {name: decision-tree, episodes: {}}",
            '5:27: unknown key "episodes"; known: name, params, shadow',
        ),
        (
            "models: [decision-tree]",
            "models:\n  - decision-tree\n  - {name: decision-tree, params: {exact: no}}",
            '6:43: model "decision-tree": exact must be true or false, got "no"',
        ),
        (
            "models: [decision-tree]",
            "models:\n  - {name: decision-tree, params: {max_leaf_node: 3}}",
            '5:36: model "decision-tree" has no parameter "max_leaf_node"; did you mean "max_leaf_nodes"?',
        ),
        (
            "models: [decision-tree]",
            "models:\n  - {name: decision-tree, params: {max_leaf_nodes: ten}}",
            '5:52: model "decision-tree": max_leaf_nodes must be an integer, got "ten"',
        ),
        (
            "models: [decision-tree]",
            "models:\n  - {name: decision-tree, params: {rate: 1.5}}",
            '5:42: model "decision-tree": rate must be less than or equal to 1, got 1.5',
        ),
        (
            "models: [decision-tree]",
            "models:\n  - {name: decision-tree, params: {layers: [8, x]}}",
            '5:48: model "decision-tree": layers[1] must be an integer, got "x"',
        ),
        (
            "models: [decision-tree]",
            "models:\n  - decision-tree\n  - {name: decision-tree}",
            "6:5: decision-tree is listed twice, first in line 5; keep one of them",
        ),
        ("version: 1", "version: 1\nscenarios: [group]", '3:13: scenario "group" needs the parameter "size"'),
        (
            "version: 1",
            "version: 1\nscenarios: [{name: group, params: {}}]",
            '3:35: scenario "group" needs the parameter "size"',
        ),
        # data sets and sizes
        (
            "datasets: [adult]",
            "datasets: [adult, {name: adult, episodes: {records: 9}}]",
            "3:19: adult is listed twice, first in line 3; keep one of them",
        ),
        (
            "datasets: [adult]",
            "datasets: [{name: adult, episodes: {record: 9}}]",
            '3:37: unknown key "record"; did you mean "records"?',
        ),
        (
            "datasets: [adult]",
            "datasets: [{name: adult, adversary: {records: 1}}]",
            "3:47: records: must be an integer from 2 to 1000000000, got 1",
        ),
        ("version: 1", "version: 1\nepisodes: 5", "3:11: must be a mapping (key: value), got 5"),
        (
            "version: 1",
            "version: 1\nepisodes: {originals: 0}",
            "3:23: originals: must be an integer from 1 to 10000, since each trains one model and one more for every "
            "request, got 0",
        ),
        (
            "version: 1",
            "version: 1\nepisodes: {originals: 1000000}",
            "3:23: originals: must be an integer from 1 to 10000, since each trains one model and one more for every "
            "request, got 1000000",
        ),
        (
            "version: 1",
            "version: 1\nepisodes: {requests: 0}",
            "3:22: requests: must be an integer from 1 to 1000000, got 0",
        ),
        (
            "version: 1",
            "version: 1\nepisodes: {negatives: 0}",
            "3:23: negatives: must be an integer from 1 to 1000000000, got 0",
        ),
        (
            "version: 1",
            "version: 1\nepisodes: {matched: -1}",
            "3:21: matched: must be an integer from 0 to 1000000000, got -1",
        ),
        (
            "version: 1",
            "version: 1\nadversary: {retained: 1.5}",
            "3:23: retained: must be an integer from 0 to 1000000000, got 1.5",
        ),
        # exclusions
        (
            "version: 1",
            "version: 1\nexclude: []",
            "3:10: must list at least one of rules; leave the key out where it is optional",
        ),
        ("version: 1", "version: 1\nexclude: [{model: decision-tree}]", '3:11: the key "because" is missing'),
        ("version: 1", "version: 1\nexclude: [{model: decision-tree, because: }]", "3:42: must be text, got nothing"),
        (
            "version: 1",
            "version: 1\nexclude: [{because: why}]",
            "3:11: must name the cells to leave out by one of dataset, model, unlearner, scenario, defense, attack",
        ),
        (
            "version: 1",
            "version: 1\nexclude: [{models: x, because: why}]",
            '3:12: unknown key "models"; did you mean "model"?',
        ),
        (
            "version: 1",
            "version: 1\nexclude: [{unlearner: none, because: why}]",
            '3:23: the suite lists no unlearner "none"; known: retrain',
        ),
        (
            "version: 1",
            "version: 1\nexclude: [{model: decision-tree, because: why}]",
            "3:10: these rules leave no cell of the suite; drop one",
        ),
        # plug-in files
        (
            "version: 1",
            "version: 1\nplugins: [mine.txt]",
            '3:11: must be a .py file given relative to the suite file, got "mine.txt"',
        ),
        (
            "version: 1",
            "version: 1\nplugins: [/tmp/mine.py]",
            '3:11: must be a .py file given relative to the suite file, got "/tmp/mine.py"',
        ),
        (
            "version: 1",
            "version: 1\nplugins: [./mine.py]",
            '3:11: there is no plug-in file "mine.py" beside the suite file',
        ),
        (
            "version: 1",
            "version: 1\nplugins: [" + "a" * 300 + ".py]",
            '3:11: there is no plug-in file "' + "a" * 57 + '..." beside the suite file',
        ),
        ("version: 1", "version: 1\nplugins: [3]", "3:11: must be text, got 3"),
        # YAML itself
        ("version: 1", "version: 1\nversion: 1", '3:1: the key "version" is given twice'),
        ("version: 1", "version: 01", '2:10: an integer with a leading zero; write 1, or "01" for text'),
    ],
)
def test_an_error_is_one_line_with_its_position(error: Error, line: str, instead: str, message: str) -> None:
    assert line in MINIMAL
    assert error(MINIMAL.replace(line, instead)) == message


def test_a_default_that_no_plugin_offers_is_reported_at_the_top(tmp_path: Path, registry: Registry) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(MINIMAL)
    bare = Registry(tuple(found for found in registry.all() if found.name != "auc"))
    with pytest.raises(UserError, match=r'mine\.yaml:1:1: unknown metric "auc"'):
        load_suite(path, bare)


def test_a_document_that_is_no_mapping_is_refused(error: Error) -> None:
    assert error("- suite") == "1:1: must be a mapping (key: value), got a list"


def test_a_grid_beyond_all_measure_is_refused_before_it_is_counted(error: Error) -> None:
    models = ", ".join(f"{{name: decision-tree, params: {{max_leaf_nodes: {n}}}}}" for n in range(1, 1002))
    seeds = ", ".join(map(str, range(1000)))
    text = MINIMAL.replace("[decision-tree]", f"[{models}]") + f"seeds: [{seeds}]\n"
    assert error(text) == "1:8: the suite holds 1001000 cells, and at most 1000000 may be; split it"


def test_a_message_stays_one_line_whatever_the_file_holds(error: Error) -> None:
    message = error(MINIMAL.replace("decision-tree", '"two\\nlines\\u2028"'))
    assert message.startswith(r'4:10: unknown model "two\nlines\u2028"')


@pytest.mark.parametrize(
    ("name", "message"),
    [("absent.yaml", "cannot read the suite: No such file"), ("folder.yaml", "cannot read the suite: Is a directory")],
)
def test_a_suite_that_cannot_be_read_is_an_error(tmp_path: Path, registry: Registry, name: str, message: str) -> None:
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(UserError, match=message):
        load_suite(tmp_path / name, registry)


def test_a_file_that_is_not_utf_8_is_refused_at_the_first_bad_byte(tmp_path: Path, registry: Registry) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"suite: mine\ndescription: caf\xe9\n")
    with pytest.raises(UserError, match=r"mine\.yaml:2:17: not UTF-8 text; save the file as UTF-8"):
        load_suite(path, registry)


def test_a_byte_order_mark_is_skipped(tmp_path: Path, registry: Registry) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + MINIMAL.encode())
    assert load_suite(path, registry)[0].name == "mine"


WORDS = st.sampled_from([*KEYS, *SIZES, *AXES, "name", "params", "because", "", "<<", "\n", "group", "size", "x.py"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | WORDS | st.just("adult"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=8,
)


def outcome(load: Load, text: str) -> str:
    """Return the name of a suite that loads, or the error of one that does not; anything else is raised."""
    try:
        return load(text).name
    except UserError as error:
        return str(error)


@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # the file is overwritten each time
@given(key=st.sampled_from([*KEYS]), value=VALUES)
def test_no_value_anywhere_raises_anything_but_a_user_error(load: Load, key: str, value: object) -> None:
    others = [line for line in MINIMAL.splitlines() if not line.startswith(f"{key}:")]
    assert len(outcome(load, "\n".join([*others, f"{key}: {json.dumps(value)}"])).splitlines()) == 1


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"])), at=st.integers(0, len(FULL)))
def test_text_put_in_anywhere_raises_nothing_but_a_user_error(load: Load, text: str, at: int) -> None:
    assert len(outcome(load, FULL[:at] + text + FULL[at:]).splitlines()) == 1


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


REFERENCES = MINIMAL + "adversary: {references: 8, per_request: 5, population: 30}\n"


def test_reference_models_are_written_out_and_read_again(load: Load) -> None:
    suite = load(REFERENCES)
    assert suite.datasets[0].references == ReferenceSizes(8, 5, 30)
    assert suite.datasets[0].adversary == suite.datasets[0].episodes
    assert load(json.dumps(suite.to_dict())) == suite
    assert suite.sha256 != load(MINIMAL).sha256


def test_a_data_set_may_have_other_reference_models_than_the_suite(load: Load) -> None:
    own = REFERENCES.replace("[adult]", "[{name: adult, adversary: {references: 64}}]")
    assert load(own).datasets[0].references == ReferenceSizes(64, 5, 30)


@pytest.mark.parametrize("key", ["references", "per_request", "population"])
def test_the_target_has_no_reference_models(error: Error, key: str) -> None:
    assert f'unknown key "{key}"' in error(MINIMAL + f"episodes: {{{key}: 4}}\n")


@pytest.mark.parametrize(
    ("size", "told"),
    [
        ("references: -1", "references: must be an integer from 0 to 10000"),
        ("references: 10001", "references: must be an integer from 0 to 10000"),
        ("per_request: 0", "per_request: must be an integer from 1 to"),
        ("population: many", "population: must be an integer from 0 to"),
    ],
)
def test_a_number_of_reference_models_out_of_range_is_refused(error: Error, size: str, told: str) -> None:
    assert told in error(MINIMAL + f"adversary: {{{size}}}\n")
