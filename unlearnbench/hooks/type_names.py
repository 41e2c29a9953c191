"""Types in words, for readers of a suite: ``integer > 0``, ``list of number``, ``one of "slot", "fresh"``."""

from __future__ import annotations

import json
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

_PLAIN: Final[dict[object, str]] = {
    int: "integer",
    float: "number",
    str: "text",
    bool: "true or false",
    type(None): "null",
    Any: "any",
    object: "any",
}
_BOUNDS: Final = {"gt": "> {}", "ge": ">= {}", "lt": "< {}", "le": "<= {}", "multiple_of": "multiple of {}"}
_LENGTHS: Final = {"min_length": "at least {} long", "max_length": "at most {} long", "pattern": "matching {}"}


def type_name(hint: object) -> str:
    """Return a type hint in words, with its bounds."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        bounds = ", ".join(_bounds(hint))
        return f"{type_name(arguments[0])} {bounds}".rstrip()
    if origin is Literal:
        return "one of " + ", ".join(json.dumps(choice) for choice in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(type_name(argument) for argument in arguments)
    if isinstance(origin, type):
        return _collection(origin, arguments)
    return _PLAIN.get(hint, getattr(hint, "__name__", str(hint)))


def _collection(origin: type, arguments: tuple[object, ...]) -> str:
    if issubclass(origin, Mapping):
        return f"mapping of {type_name(arguments[0])} to {type_name(arguments[1])}"
    if issubclass(origin, tuple) and Ellipsis not in arguments:
        return f"list of ({', '.join(type_name(argument) for argument in arguments)})"
    return f"list of {type_name(arguments[0])}"


def choices(hint: object) -> tuple[str, ...]:
    """Return the allowed words of a literal type or of one inside a union; empty for any other type."""
    if get_origin(hint) is Literal:
        return tuple(str(choice) for choice in get_args(hint))
    if get_origin(hint) in (Annotated, Union, types.UnionType):
        return tuple(choice for argument in get_args(hint) for choice in choices(argument))
    return ()


def _metadata(hint: object) -> Iterator[object]:
    """Yield the metadata of ``Annotated``, and those inside a pydantic ``Field``."""
    for item in getattr(hint, "__metadata__", ()):
        yield item
        inner = getattr(item, "metadata", ())
        yield from inner if isinstance(inner, Iterable) else ()


def _bounds(hint: object) -> Iterator[str]:
    for item in _metadata(hint):
        for attribute, text in {**_BOUNDS, **_LENGTHS}.items():
            if (bound := getattr(item, attribute, None)) is not None:
                yield text.format(bound)
