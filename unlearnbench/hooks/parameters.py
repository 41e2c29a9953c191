"""A plug-in's parameters: the typed keyword arguments of its constructor.

Values come from YAML or JSON and are checked strictly, by the rules of JSON: a list is valid for a tuple and an integer
for a number, but neither the text "3" nor ``true`` for an integer. pydantic checks them; it is imported on first use,
so that listing plug-ins is fast.
"""

from __future__ import annotations

import inspect
import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import MISSING, dataclass, fields, is_dataclass
from difflib import get_close_matches
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, cast, get_type_hints

from unlearnbench.core.errors import UserError, describe_error, did_you_mean
from unlearnbench.core.messages import shown
from unlearnbench.core.plugin_calls import plugin_call
from unlearnbench.hooks import type_names
from unlearnbench.hooks.registry import Registered

_log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails


@dataclass(frozen=True)
class Parameter:
    """One parameter, as tables and editors show it."""

    name: str
    type: str
    """In words, such as ``integer > 0``."""
    default: object | None
    """Plain data."""
    required: bool
    choices: tuple[str, ...]
    """The allowed words of a literal type; empty for other types."""
    description: str


class ParameterError(UserError):
    """An invalid parameter."""

    def __init__(self, message: str, parameter: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.parameter = parameter
        """The path of the invalid key, such as ``("schedule", 0)``."""


@dataclass(frozen=True)
class _Argument:
    """One argument of a constructor."""

    name: str
    hint: Any
    default: object
    """``MISSING`` for a required argument."""

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        from pydantic import PydanticUserError, TypeAdapter

        try:
            return TypeAdapter(self.hint)
        except PydanticUserError as error:
            raise UserError(f"the type of {self.name}, {self.hint}, cannot be given in YAML") from error

    def check(self, value: object) -> Any:
        """Return the value in the type of the argument; pydantic's ValidationError where it is invalid."""
        return self._adapter.validate_json(json.dumps(value, allow_nan=False), strict=True, extra="forbid")

    def plain(self, value: object) -> object:
        """Return a checked value as JSON data; sets are sorted, since their order is undefined."""
        plain = self._adapter.dump_python(value, mode="json", warnings=False)
        return sorted(plain) if isinstance(value, set | frozenset) else plain


def parameters(cls: type) -> tuple[Parameter, ...]:
    """Return the parameters of a plug-in's class, in the constructor's order.

    A description is the text in the docstring of the class, or of a base class, that starts a line with the name in
    double backquotes and a colon, and ends before the next such line or an empty line. UserError where an argument of
    the constructor has no type or no name.
    """
    documented = _documented(cls)
    return tuple(
        Parameter(
            name=argument.name,
            type=type_names.type_name(argument.hint),
            default=None if argument.default is MISSING else argument.plain(argument.default),
            required=argument.default is MISSING,
            choices=type_names.choices(argument.hint),
            description=documented.get(argument.name, ""),
        )
        for argument in _arguments(cls)
    )


def resolve(registered: Registered, params: Mapping[str, object]) -> dict[str, object]:
    """Return all parameters as plain JSON data, checked and with defaults filled in.

    The constructor is called too, so that what it rejects shows before any work starts. ParameterError names the
    invalid key: unknown, missing, of the wrong type, out of range, or rejected by the constructor. Whatever else a
    constructor raises is no matter of parameters; :func:`build` raises it.
    """
    arguments, values = _checked(registered, params)
    try:
        _construct(registered, values)
    except (UserError, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001 - a plug-in may raise anything
        _log.debug("%s: %s", registered, describe_error(error))
    return {name: arguments[name].plain(value) for name, value in values.items()}


def build(registered: Registered, params: Mapping[str, object]) -> object:
    """Check the parameters as :func:`resolve` does, and return an instance of the plug-in."""
    return _construct(registered, _checked(registered, params)[1])


def params_of_texts(registered: Registered, texts: Mapping[str, str]) -> dict[str, object]:
    """Return parameters that are given as texts, as on a command line, as plain data; nothing is checked.

    A text stays a text where the parameter takes it as it is; otherwise it is read as JSON: 4, 0.5, true, null, [1, 2].
    """
    arguments = {argument.name: argument for argument in _arguments(registered.load())}
    return {name: _of_text(arguments.get(name), text) for name, text in texts.items()}


def _of_text(argument: _Argument | None, text: str) -> object:
    from pydantic import ValidationError

    if argument is not None:
        with suppress(ValidationError):
            argument.check(text)
            return text
    try:
        return cast(object, json.loads(text))
    except ValueError:
        return text


def _checked(registered: Registered, params: Mapping[str, object]) -> tuple[dict[str, _Argument], dict[str, Any]]:
    """Return the arguments and their checked values by name. UserError also where types of the plug-in fail."""
    try:
        arguments = _known(registered, params)
        return arguments, {name: _value(registered, argument, params) for name, argument in arguments.items()}
    except UserError:
        raise
    except Exception as error:  # types and defaults are code of the plug-in
        raise UserError(f"{registered}: its parameters cannot be read: {describe_error(error)}") from error


def _known(registered: Registered, params: Mapping[str, object]) -> dict[str, _Argument]:
    """Return the arguments by name; ParameterError for a parameter that is not among them."""
    arguments = {argument.name: argument for argument in _arguments(registered.load())}
    for name in params:
        if name not in arguments:
            hint = did_you_mean(name, arguments) if arguments else "; it has none"
            raise ParameterError(f"{registered} has no parameter {shown(name)}{hint}", (name,))
    return arguments


def _construct(registered: Registered, values: Mapping[str, object]) -> object:
    """Return an instance; ParameterError for the ValueError by which a constructor rejects its arguments."""
    try:
        with plugin_call():
            return cast(object, registered.load()(**values))
    except ValueError as error:
        raise ParameterError(f"{registered}: {_rejection(error)}") from error


def _rejection(error: ValueError) -> str:
    """Return the text of an error without its type, if it has one that can be told."""
    told = describe_error(error)
    return told.removeprefix(f"{type(error).__name__}: ")


def _value(registered: Registered, argument: _Argument, params: Mapping[str, object]) -> Any:
    """Return the checked value of one argument. A default is checked too, so that 1 and 1.0 give the same number."""
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
    """Return the path of the first invalid value and a message; for a union the message lists all valid types."""
    paths = [tuple(_inside(error["loc"], value)) for error in errors]
    messages = [_message(error) for error, path in zip(errors, paths, strict=True) if path == paths[0]]
    found = value
    for key in paths[0]:
        found = found[key]  # type: ignore[index]  # _inside has checked that the path leads somewhere
    got = json.dumps(found, ensure_ascii=False)
    wanted = " or ".join([messages[0], *(message.removeprefix("must be ") for message in messages[1:])])
    return paths[0], f"{wanted}, got {got if len(got) <= 80 else got[:77] + '...'}"


def _inside(loc: tuple[str | int, ...], value: object) -> Iterator[str | int]:
    """Yield the keys of the value, without the names that pydantic gives to a union's members."""
    for key in loc:
        found = key in value if isinstance(value, dict) else isinstance(value, list) and isinstance(key, int)
        if found:
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
    choices = type_names.choices(hint)
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
    """Return the texts of the docstrings that follow a parameter's name; a class overrides its bases."""
    docs = (inspect.cleandoc(vars(base).get("__doc__") or "") for base in reversed(cls.__mro__))
    texts = (text for doc in docs for text in re.split(r"\n\n|\n(?=``\w+``: )", doc))
    matches = (re.match(r"``(\w+)``: (.*)", text, re.DOTALL) for text in texts)
    return {match[1]: " ".join(match[2].split()) for match in matches if match}
