"""A page for each built-in plug-in, generated from its record and its docstring, and lists of them by kind."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from unlearnbench.hooks.parameters import Parameter, parameters
from unlearnbench.hooks.records import RECORDS, Kind, Plugin
from unlearnbench.hooks.registry import Registered

FOLDER = "reference"
TITLES: dict[Kind, str] = {
    "dataset": "Data sets",
    "model": "Target models",
    "unlearner": "Unlearners",
    "scenario": "Scenarios",
    "defense": "Defenses",
    "attack": "Attacks",
    "metric": "Metrics",
    "executor": "Executors",
}


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the pages before Sphinx searches for pages."""
    app.connect("builder-inited", lambda app: write_pages(Path(app.srcdir) / FOLDER))
    return {"parallel_read_safe": True}


def write_pages(folder: Path) -> None:
    """Write a page per built-in plug-in, a list per kind, and a list of the lists."""
    from unlearnbench.hooks.registry import load_registry

    registry = load_registry()
    for kind in RECORDS:
        found = [each for each in registry.all(kind) if each.source.kind == "builtin"]
        for each in found:
            write(folder / kind / f"{each.name}.rst", page(each))
        write(folder / f"{kind}s.rst", contents(TITLES[kind], [f"{kind}/{each.name}" for each in found]))
    write(folder / "index.rst", contents("Built-in plug-ins", [*(f"{kind}s" for kind in RECORDS), "suite"]))
    write(folder / "suite.rst", suite_page())


def write(file: Path, text: str) -> None:
    """Write a page if its content has changed, since Sphinx reads newer files again."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.write_text(text, encoding="utf-8")


def contents(title: str, pages: Iterable[str]) -> str:
    """Return a page that lists others."""
    return f"{heading(title)}\n.. toctree::\n   :maxdepth: 1\n\n" + "".join(f"   {page}\n" for page in pages)


def page(registered: Registered) -> str:
    """Return the page of one plug-in."""
    cls = registered.load()
    known = parameters(cls)
    told = [
        (name.replace("_", " "), text) for name, value in _record(registered.plugin).items() if (text := _shown(value))
    ]
    return "\n".join(
        [
            heading(registered.name),
            f"*{registered.plugin.summary}.*\n",
            _prose(inspect.cleandoc(cls.__doc__ or ""), known),
            table("Parameters", ("parameter", "type", "default", "what it is"), [_parameter(each) for each in known]),
            table("Record", ("field", "value"), told),
        ]
    )


def suite_page() -> str:
    """Return the keys of a suite, from the schema that editors get."""
    from unlearnbench.hooks.registry import load_registry
    from unlearnbench.suite.schema import suite_schema

    schema: Any = suite_schema(load_registry())
    rows = [
        (
            f"``{key}``",
            _kind_of(about),
            "required"
            if key in schema["required"]
            else f"``{json.dumps(about['default'])}``"
            if "default" in about
            else "",
        )
        for key, about in schema["properties"].items()
    ]
    return heading("Keys of a suite") + "\n" + table("Keys", ("key", "what it takes", "default"), rows)


def _kind_of(about: Mapping[str, Any]) -> str:
    if "enum" in about:
        return ", ".join(f"``{value}``" for value in about["enum"])
    if "items" in about:
        return f"a list of {_kind_of(about['items'])}s"
    return str(about["$ref"]).rpartition("/")[2] if "$ref" in about else str(about["type"])


def heading(title: str, line: str = "=") -> str:
    """Return a heading of reStructuredText."""
    return f"{title}\n{line * len(title)}\n"


def table(title: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table under a heading; nothing where it would have no rows."""
    if not rows:
        return ""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in (headers, *rows):
        lines += [f"   {'* -' if i == 0 else '  -'} {cell}" for i, cell in enumerate(row)]
    return "\n".join([heading(title, "-"), *lines, ""])


def _record(plugin: Plugin) -> dict[str, object]:
    return {f.name: getattr(plugin, f.name) for f in fields(plugin) if f.name not in ("name", "summary", "factory")}


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _prose(description: str, known: Sequence[Parameter]) -> str:
    """Return the paragraphs of a docstring that do not tell of a parameter."""
    names = tuple(f"``{each.name}``:" for each in known)
    return "\n\n".join(part for part in description.split("\n\n") if not part.startswith(names)) + "\n"


def _parameter(parameter: Parameter) -> tuple[str, str, str, str]:
    described = " ".join(parameter.description.split())
    return f"``{parameter.name}``", parameter.type, f"``{json.dumps(parameter.default)}``", described
