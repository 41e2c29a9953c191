"""Which data an unlearning method may read: what it does not declare raises when it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NoReturn, cast

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.records import Records

FACTS: Final = ("name", "n_classes", "bounds", "provenance", "feature_names", "class_names")
"""What of a data set is no matter of its records."""


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

    def guard_records(self, records: Records, readable: NDArray[np.bool_]) -> Records:
        """Return records of which only the rows ``readable`` (n,) can be read; labels only where they are declared."""
        return cast(Records, GuardedRecords(self, records, readable))


class Undeclared:
    """Stands for a set that a method does not declare: only its data set can be read, which is guarded itself."""

    def __init__(self, access: Access, data: str, value: Any) -> None:
        self._access, self._data, self._value = access, data, value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # Python asks for some by itself, such as when it copies
            raise AttributeError(name)
        return getattr(self._value, name) if name in ("records", "n_classes") else self._refuse()

    def __len__(self) -> NoReturn:
        self._refuse()

    def __array__(self, *how: Any, **more: Any) -> NoReturn:
        self._refuse()

    def _refuse(self) -> NoReturn:
        self._access.check(self._data)
        raise AssertionError("what may be read is handed over as it is")


class GuardedRecords:
    """Stands for a data set: its facts and its size can be read, of its records those that a method declares."""

    def __init__(self, access: Access, records: Records, readable: NDArray[np.bool_]) -> None:
        """Take which records (n,) the method declares."""
        self._access, self._records, self._declared = access, records, readable

    def __len__(self) -> int:
        return len(self._records)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in FACTS:
            raise AccessError(f"{self._access.name} reads `{name}` of the whole data set; read x[ids] and y[ids]")
        return getattr(self._records, name)

    @property
    def x(self) -> Rows:
        """The features."""
        return Rows(self._access, self._records.x, self._declared)

    @property
    def y(self) -> Rows:
        """The labels; AccessError where the method does not declare them."""
        self._access.check("labels")
        return Rows(self._access, self._records.y, self._declared)


class Rows:
    """Stands for an array (n, ...) of a data set: rows that a method declares can be read by their index."""

    def __init__(self, access: Access, values: NDArray[Any], declared: NDArray[np.bool_]) -> None:
        """Take the values and which rows (n,) are declared."""
        self._access, self._values, self._declared = access, values, declared
        self.shape, self.ndim, self.dtype = values.shape, values.ndim, values.dtype

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, index: Any) -> Any:
        first = (*index, ...)[0] if isinstance(index, tuple) else index
        if not np.all(self._declared[first]):
            raise AccessError(f"{self._access.name} reads records of sets that its `sees` does not declare")
        return self._values[index]

    def __array__(self, *how: Any, **more: Any) -> NDArray[Any]:
        return np.asarray(self[:], *how, **more)
