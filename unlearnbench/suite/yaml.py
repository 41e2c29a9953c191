"""A strict reader for the part of YAML that suite files need, with the position of every value.

PyYAML alone reads ``1e-3`` as text, ``no`` as False and ``1:30`` as 90, and drops duplicate keys. Here PyYAML only
parses. Plain scalars have the meaning of YAML 1.2, and ambiguous values are rejected.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from unlearnbench.core.errors import Location, UserError
from unlearnbench.core.messages import shown

Path = tuple[str | int, ...]
"""Keys and list indices that lead from the top of a document to a value."""
Position = tuple[int, int]
"""Line and column, counted from 1."""

_CONSTANTS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)", re.ASCII)
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True)
class Document:
    """Plain data (dict, list, str, int, float, bool, None) with positions in the file."""

    file: str
    data: object
    values: Mapping[Path, Position]
    """The position of each value, by its path."""
    keys: Mapping[Path, Position]
    """The position of each value's key, by the path of the value."""

    def where(self, path: Path, *, key: bool = False) -> Location:
        """Return the position of the value (or its key) at ``path``, or of the closest value that contains it."""
        if key and path in self.keys:
            return Location(self.file, *self.keys[path])
        while path not in self.values:
            path = path[:-1]
        return Location(self.file, *self.values[path])


def load_yaml(text: str, file: str) -> Document:
    """Read one document; :class:`UserError` with the position in ``file`` where it is malformed or ambiguous."""
    try:
        root = _compose(text)
        reading = _Reading()
        data = reading.plain(root, ()) if root else None
    except _RefusedError as refused:
        raise UserError(refused.message, Location(file, *refused.position)) from None
    except RecursionError:
        raise UserError("lists and mappings are nested too deeply", file) from None
    if data is None:
        raise UserError("nothing in this file", Location(file, 1, 1))
    return Document(file, data, reading.values, reading.keys)


def dump_yaml(data: object) -> str:
    """Write plain data in block style; :func:`load_yaml` reads equal data back."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


class _RefusedError(Exception):
    def __init__(self, message: str, position: Position) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


def _position(mark: Any) -> Position:  # of yaml's own, untyped in its stubs: a Mark, a C Mark or None
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _compose(text: str) -> yaml.Node | None:
    try:
        return _Composer(text).get_single_node()
    except yaml.reader.ReaderError as error:
        before = text[: error.position].split("\n")
        position = len(before), len(before[-1]) + 1
        raise _RefusedError(f"the character U+{ord(text[error.position]):04X} is not allowed", position) from None
    except yaml.MarkedYAMLError as error:
        raise _RefusedError(*_malformed(error)) from None
    except (ValueError, OverflowError):  # of PyYAML itself, for an escape beyond the last Unicode character
        raise _RefusedError("the file contains an escape that is not a character", (1, 1)) from None


_OUT_OF_PLACE = "the line belongs to no list or mapping above it; indent it as its neighbours are"
_NO_KEY = (
    "no key can be here; quote the text, indent the line as its neighbours are, or end the line above with a colon"
)
_NOT_CLOSED = "is not closed, or a comma is missing"
_MALFORMED: Mapping[str, tuple[str, bool]] = {
    "but found another document": ("a second document starts here; a suite file holds one", False),
    "could not find expected ':'": ("a colon is missing; write key: value", True),
    "mapping values are not allowed": (_NO_KEY, False),
    "expected <block end>": (_OUT_OF_PLACE, False),
    "expected ',' or ']'": (f"the [ here {_NOT_CLOSED}", True),
    "expected ',' or '}'": (f"the {{ here {_NOT_CLOSED}", True),
    "unexpected end of stream": ("the quoted text that starts here is not closed", True),
    "'\\t'": ("a tab; indent with spaces", False),
}
"""What PyYAML says, what that means in a suite, and whether it is where the value began that PyYAML was reading."""


def _malformed(error: yaml.MarkedYAMLError) -> tuple[str, Position]:
    problem = error.problem or "malformed"
    meanings = (meaning for words, meaning in _MALFORMED.items() if words in problem)
    message, at_start = next(meanings, (f"not YAML: {problem}", False))
    marks = (error.context_mark, error.problem_mark) if at_start else (error.problem_mark, error.context_mark)
    return message, _position(marks[0] or marks[1])


class _Composer(yaml.BaseLoader):
    """PyYAML's parser without anchors, aliases, tags and directives, which a suite file does not need."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # untyped in the stubs
        if isinstance(event, yaml.AliasEvent):
            raise _RefusedError("aliases (*) are not allowed; write the value out", _position(event.start_mark))
        if event.anchor is not None:
            raise _RefusedError("anchors (&) are not allowed; write the value out", _position(event.start_mark))
        if event.tag is not None:
            raise _RefusedError("tags (!) are not allowed; write the plain value", _position(event.start_mark))
        return super().compose_node(parent, index)

    def fetch_directive(self) -> None:
        raise _RefusedError("directives (%) are not allowed; leave the line out", _position(self.get_mark()))


@dataclass(frozen=True)
class _Reading:
    """Converts nodes to plain data and records their positions."""

    values: dict[Path, Position] = field(default_factory=dict)
    keys: dict[Path, Position] = field(default_factory=dict)

    def plain(self, node: yaml.Node, path: Path) -> object:
        self.values[path] = _position(node.start_mark)
        if isinstance(node, yaml.MappingNode):
            return {key: self.plain(value, (*path, key)) for key, value in self._fields(node, path)}
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(item, (*path, i)) for i, item in enumerate(node.value)]
        try:
            return plain_scalar(node.value) if _is_plain(node) else _text(node.value)
        except ValueError as error:
            raise _RefusedError(str(error), _position(node.start_mark)) from None

    def _fields(self, node: yaml.MappingNode, path: Path) -> list[tuple[str, yaml.Node]]:
        fields: dict[str, yaml.Node] = {}
        for key, value in node.value:
            position = _position(key.start_mark)
            name = _key(key, position)
            if name in fields:
                raise _RefusedError(f"the key {shown(name)} is given twice", position)
            fields[name] = value
            self.keys[(*path, name)] = position
        return list(fields.items())


def _is_plain(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.style is None


def _key(node: yaml.Node, position: Position) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _RefusedError("a key is a list or a mapping; keys are text", position)
    if node.value == "<<" and _is_plain(node):
        raise _RefusedError("merge keys (<<) are not allowed; write the keys out", position)
    try:
        return _text(node.value)
    except ValueError as error:
        raise _RefusedError(str(error), position) from None


def plain_scalar(text: str) -> str | int | float | bool | None:
    """Return the value of an unquoted scalar in YAML 1.2's core schema; ValueError for an ambiguous number.

    Hexadecimal and octal integers are read as text; a suite does not need them.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _LEADING_ZERO.fullmatch(text):
        raise ValueError(f'an integer with a leading zero; write {text.lstrip("+-0") or 0}, or "{text}" for text')
    if _NOT_FINITE.fullmatch(text):
        raise ValueError("numbers must be finite")
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return _float(text)
    return _text(text)


def _integer(text: str) -> int:
    # The length is checked first, since Python cannot convert very long digit strings.
    if len(text) > 20 or not -(2**63) <= int(text) < 2**63:
        raise ValueError("an integer beyond 64 bits")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("a number too large for a float")
    return value


def _text(text: str) -> str:
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t":
            raise ValueError(f"text contains the control character U+{ord(character):04X}")
    return text


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - no value is written as an alias
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    """Quote text that :func:`plain_scalar` would not read as text; PyYAML's rules for numbers differ."""
    try:
        style = None if plain_scalar(text) == text else '"'
    except ValueError:
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)
