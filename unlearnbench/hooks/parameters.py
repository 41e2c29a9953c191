"""A plug-in's parameters: the typed keyword arguments of its constructor.

Values come from YAML or JSON, so they are checked by JSON's rules and strictly: a list is a tuple's value, an integer
a number's, but neither the text "3" nor ``true`` is an integer. pydantic does the checking and is imported on first
use, so that listing plug-ins stays light.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from difflib import get_close_matches
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, get_type_hints

from unlearnbench.core.errors import UserError, did_you_mean
from unlearnbench.hooks import type_names as readable
from unlearnbench.hooks.registry import Registered
from unlearnbench.hooks.sources import one_line

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails


@dataclass(frozen=True)
class Parameter:
    """One parameter. ``choices`` are the allowed words where there are only a few; ``default`` is plain data."""

    name: str
    type: str
    default: object | None
    required: bool
    choices: tuple[str, ...]
    description: str


class ParameterError(UserError):
    """A parameter that is wrong. ``parameter`` is the path of the offending key, such as ``("schedule", 0)``."""

    def __init__(self, message: str, parameter: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.parameter = parameter


@dataclass(frozen=True)
class _Argument:
    """One argument of a constructor; ``default`` is ``MISSING`` for a required one."""

    name: str
    hint: Any
    default: object

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        from pydantic import PydanticUserError, TypeAdapter

        try:
            return TypeAdapter(self.hint)
        except PydanticUserError as error:
            raise UserError(f"the type of {self.name}, {self.hint}, is not one that YAML can fill") from error

    def check(self, value: object) -> Any:
        """Return the value as the constructor wants it; pydantic's ValidationError where it is wrong."""
        return self._adapter.validate_json(json.dumps(value, allow_nan=False), strict=True, extra="forbid")

    def plain(self, value: object) -> object:
        """Return a checked value as JSON has it; sets are sorted, since their order is not their own."""
        plain = self._adapter.dump_python(value, mode="json", warnings=False)
        return sorted(plain) if isinstance(value, set | frozenset) else plain


def parameters(cls: type) -> tuple[Parameter, ...]:
    """Return the parameters of a plug-in's class, in the constructor's order.

    Descriptions come from ``Annotated[..., "text"]``, from pydantic's ``Field(description=...)``, or from a paragraph
    of the class's docstring that starts with the parameter's name in double backquotes. UserError where the
    constructor has an argument without a type or a name of its own.
    """
    documented = _documented(cls)
    return tuple(
        Parameter(
            name=argument.name,
            type=readable.type_name(argument.hint),
            default=None if argument.default is MISSING else argument.plain(argument.default),
            required=argument.default is MISSING,
            choices=readable.choices(argument.hint),
            description=readable.description(argument.hint) or documented.get(argument.name, ""),
        )
        for argument in _arguments(cls)
    )


def resolve(registered: Registered, params: Mapping[str, object]) -> dict[str, object]:
    """Return all parameters as plain JSON data, checked and with defaults filled in.

    The constructor is tried too, so that what it refuses is known before any work starts. ParameterError names the
    key that is wrong: unknown, missing, of another type, out of range, or refused by the constructor.
    """
    return _bind(registered, params)[0]


def build(registered: Registered, params: Mapping[str, object]) -> object:
    """Check the parameters as :func:`resolve` does, and return the plug-in made with them."""
    return _bind(registered, params)[1]


def _bind(registered: Registered, params: Mapping[str, object]) -> tuple[dict[str, object], object]:
    cls = registered.load()
    arguments = {argument.name: argument for argument in _arguments(cls)}
    for name in params:
        if name not in arguments:
            raise ParameterError(f'{registered} has no parameter "{name}"{_known(name, arguments)}', (name,))
    values = {name: _value(registered, argument, params) for name, argument in arguments.items()}
    try:
        made = cls(**values)
    except ValueError as error:
        raise ParameterError(f"{registered}: {' '.join(str(error).split()) or one_line(error)}") from error
    return {name: arguments[name].plain(value) for name, value in values.items()}, made


def _known(name: str, arguments: Mapping[str, _Argument]) -> str:
    return did_you_mean(name, arguments) if arguments else "; it has none"


def _value(registered: Registered, argument: _Argument, params: Mapping[str, object]) -> Any:
    """Return one argument's value. A default is checked as if it had been given: 1 and 1.0 make one number."""
    from pydantic import ValidationError

    if argument.name not in params and argument.default is MISSING:
        raise ParameterError(f'{registered} needs the parameter "{argument.name}"')
    value = params[argument.name] if argument.name in params else argument.plain(argument.default)
    try:
        return argument.check(value)
    except ValidationError as error:
        path, message = _first_problem(error.errors(include_url=False), value)
        message += _closest(argument.hint, value) if not path else ""
        raise ParameterError(
            f"{registered}: {_dotted(argument.name, path)} {message}", (argument.name, *path)
        ) from error
    except (TypeError, ValueError) as error:  # json.dumps: a date, a NaN
        message = f"must be plain finite data, got {value!r:.80}"
        raise ParameterError(f"{registered}: {argument.name} {message}", (argument.name,)) from error


def _first_problem(errors: list[ErrorDetails], value: object) -> tuple[tuple[str | int, ...], str]:
    """Return where the first wrong value is and what is wrong with it; a union says all that would be right."""
    paths = [tuple(_inside(error["loc"], value)) for error in errors]
    messages = [_message(error) for error, path in zip(errors, paths, strict=True) if path == paths[0]]
    found = value
    for key in paths[0]:
        found = found[key]  # type: ignore[index]  # _inside has checked that the path leads somewhere
    got = json.dumps(found, ensure_ascii=False)
    wanted = " or ".join([messages[0], *(message.removeprefix("must be ") for message in messages[1:])])
    return paths[0], f"{wanted}, got {got if len(got) <= 80 else got[:77] + '...'}"


def _inside(loc: tuple[str | int, ...], value: object) -> Iterator[str | int]:
    """Yield the keys that lead into the value, leaving out the names that pydantic gives to a union's members."""
    for key in loc:
        there = key in value if isinstance(value, dict) else isinstance(value, list) and isinstance(key, int)
        if there:
            yield key
            value = value[key]  # type: ignore[index]  # a dict or a list, and the key is in it


def _message(error: ErrorDetails) -> str:
    """Turn "Input should be a valid integer" into "must be an integer"."""
    if error["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        return "is not a known key"
    if error["type"] in ("missing", "missing_argument"):
        return f'needs the key "{error["loc"][-1]}"'
    text = error["msg"].replace("Input should ", "must ")
    text = re.sub(r"\ba valid (?=[aeiou])", "an ", text).replace("a valid ", "a ")
    for theirs, ours in (("a boolean", "true or false"), ("an array", "a list"), ("an object", "a mapping")):
        text = text.replace(theirs, ours)
    return text[:1].lower() + text[1:]


def _closest(hint: object, value: object) -> str:
    choices = readable.choices(hint)
    return did_you_mean(value, get_close_matches(value, choices)) if isinstance(value, str) else ""


def _dotted(name: str, path: tuple[str | int, ...]) -> str:
    return name + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)


@cache
def _arguments(cls: type) -> tuple[_Argument, ...]:
    hints = _hints(cls)
    found = []
    for name, argument in inspect.signature(cls).parameters.items():
        if argument.kind not in (argument.KEYWORD_ONLY, argument.POSITIONAL_OR_KEYWORD) or name not in hints:
            raise UserError(f"{cls.__qualname__}: argument {argument} of the constructor needs a name and a type")
        found.append(_Argument(name, hints[name], _default(cls, argument)))
    return tuple(found)


def _hints(cls: type) -> dict[str, Any]:
    """Return the types of the constructor's arguments."""
    try:
        return get_type_hints(cls.__init__, include_extras=True)  # type: ignore[misc]  # only looked at
    except NameError as error:
        if is_dataclass(cls):  # inherits fields whose types only the modules of its bases know
            return get_type_hints(cls, include_extras=True)
        raise UserError(f"{cls.__qualname__}: a type of the constructor is unknown: {error}") from error


def _default(cls: type, argument: inspect.Parameter) -> object:
    if argument.default is argument.empty:
        return MISSING
    made = {field.name: field.default_factory for field in fields(cls)} if is_dataclass(cls) else {}
    factory = made.get(argument.name, MISSING)
    return argument.default if factory is MISSING else factory()


def _documented(cls: type) -> dict[str, str]:
    """Return the paragraphs of a docstring that start with a parameter's name."""
    paragraphs = inspect.cleandoc(cls.__doc__ or "").split("\n\n")
    matches = (re.match(r"``(\w+)``:? (.*)", paragraph, re.DOTALL) for paragraph in paragraphs)
    return {match[1]: " ".join(match[2].split()) for match in matches if match}
