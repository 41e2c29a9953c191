"""Which data an unlearning method may read: what it does not declare raises when it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn


class AccessError(Exception):
    """A method reads data that its ``sees`` does not declare: an error of its author."""


@dataclass(frozen=True)
class Access:
    """What the method ``name`` declares that it reads; None where it declares nothing and may read everything."""

    name: str
    sees: tuple[str, ...] | None

    def check(self, data: str) -> None:
        """Raise :class:`AccessError` unless ``data`` is declared."""
        if not self.allows(data):
            raise AccessError(f"{self.name} reads the {data}, which its `sees` does not declare")

    def allows(self, data: str) -> bool:
        """Return whether ``data`` may be read."""
        return self.sees is None or data in self.sees

    def guard(self, data: str, value: Any) -> Any:
        """Return ``value`` where it may be read, else something that raises :class:`AccessError` when it is used."""
        return value if self.allows(data) else Undeclared(self, data, value)


class Undeclared:
    """Stands for data that a method does not declare: of a training set only the data set's own facts can be read."""

    def __init__(self, access: Access, data: str, value: Any) -> None:
        self._access, self._data, self._value = access, data, value

    def __getattr__(self, name: str) -> Any:
        if name in _OPEN:
            return getattr(self._value, name)
        return self._refuse()

    def __len__(self) -> NoReturn:
        self._refuse()

    def __array__(self, *how: Any, **more: Any) -> NoReturn:
        self._refuse()

    def _refuse(self) -> NoReturn:
        self._access.check(self._data)
        raise AssertionError("what may be read is handed over as it is")


_OPEN = ("records", "n_classes")
"""Of the data set as a whole: other sets, which may be declared, are made of its records."""
