"""Loading suites: what is refused, in one line with its position."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.suite.texts import FULL, MINIMAL
from unlearnbench.core.errors import UserError
from unlearnbench.core.pools import SIZES
from unlearnbench.hooks.registry import Registry
from unlearnbench.suite.keys import KEYS
from unlearnbench.suite.load import load_suite
from unlearnbench.suite.model import AXES, Suite

Load = Callable[[str], Suite]
Error = Callable[[str], str]


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
    assert error(text) == "1:8: the suite holds 1,001,000 cells, and at most 1,000,000 may be; split it"


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
