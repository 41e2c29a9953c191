"""A value of a document with its position, and methods that check its type."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NoReturn

from unlearnbench.core.errors import UserError, did_you_mean
from unlearnbench.core.messages import shown
from unlearnbench.suite.yaml import Document, Path


@dataclass(frozen=True)
class Node:
    """A value of a document. Its methods raise :class:`UserError` with the position where the value is invalid."""

    document: Document
    path: Path
    """Keys and indices that lead to the value."""
    value: object

    def fail(self, message: str, *, at: Path = (), key: bool = False) -> NoReturn:
        """Raise a :class:`UserError` with the position of this value, or of the value or key at ``at`` in it."""
        raise UserError(message, self.document.where((*self.path, *at), key=key)) from None

    def fields(self, known: Collection[str], required: Collection[str] = ()) -> dict[str, Node]:
        """Return the fields of a mapping whose keys are among ``known``."""
        fields = self.mapping()
        for name in fields:
            if name not in known:
                self.fail(f"unknown key {shown(name)}{did_you_mean(name, known)}", at=(name,), key=True)
        for name in required:
            if name not in fields:
                self.fail(f'the key "{name}" is missing')
        return fields

    def mapping(self) -> dict[str, Node]:
        """Return the fields of a mapping with any keys."""
        if not isinstance(self.value, dict):
            self.fail(f"must be a mapping (key: value), got {shown(self.value)}")
        return {name: Node(self.document, (*self.path, name), value) for name, value in self.value.items()}

    def items(self, of: str) -> list[Node]:
        """Return the items of a list that is not empty; ``of`` names the items in messages."""
        if not isinstance(self.value, list):
            self.fail(f"must be a list of {of}, got {shown(self.value)}")
        if not self.value:
            self.fail(f"must list at least one of {of}; leave the key out where it is optional")
        return [Node(self.document, (*self.path, i), value) for i, value in enumerate(self.value)]

    def text(self) -> str:
        """Return text that is not empty."""
        if not isinstance(self.value, str) or not self.value.strip():
            self.fail(f"must be text, got {shown(self.value)}")
        return self.value

    def integer(self, low: int, high: int) -> int:
        """Return an integer from ``low`` to ``high``."""
        if not isinstance(self.value, int) or isinstance(self.value, bool) or not low <= self.value <= high:
            self.fail(f"must be an integer from {low} to {high}, got {shown(self.value)}")
        return self.value

    def number(self) -> float:
        """Return a number."""
        if not isinstance(self.value, int | float) or isinstance(self.value, bool):
            self.fail(f"must be a number, got {shown(self.value)}")
        return float(self.value)

    def choice(self, options: tuple[str, ...]) -> str:
        """Return one of a few words."""
        if self.value not in options:
            self.fail(f"must be one of {', '.join(options)}, got {shown(self.value)}")
        return str(self.value)
