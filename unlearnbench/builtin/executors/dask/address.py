"""Where a scheduler is, and whether it may be talked to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from unlearnbench.core.errors import UserError

if TYPE_CHECKING:
    from distributed import Security


@dataclass(frozen=True)
class Address:
    """Where a scheduler is, and how it is talked to."""

    scheduler: str
    ca: str = ""
    cert: str = ""
    key: str = ""
    insecure_network: bool = False

    def __post_init__(self) -> None:
        """Raise UserError for what is no address, or for one that anybody on a network could talk to."""
        parts = urlsplit(self.scheduler)
        if parts.scheme not in ("tls", "tcp") or not parts.hostname:
            raise UserError(f'scheduler: "{self.scheduler}" is no address; write tls://HOST:PORT')
        if parts.scheme == "tcp" and not self.insecure_network and not _is_loopback(parts.hostname):
            raise UserError(
                f"scheduler: {self.scheduler} is not encrypted: whoever reaches it runs code as you, on all its "
                "workers and here; use tls:// with ca, cert and key, or accept that with insecure_network=true"
            )

    def security(self) -> Security | None:
        """Return the certificates; those not given come from dask's own configuration. UserError where none are."""
        from distributed import Security

        if not self.scheduler.startswith("tls"):
            return None
        given = {"tls_ca_file": self.ca, "tls_client_cert": self.cert, "tls_client_key": self.key}
        made = Security(require_encryption=True, **{name: path for name, path in given.items() if path})
        if not (made.tls_ca_file and made.tls_client_cert):
            raise UserError("scheduler: tls:// needs ca, cert and key: files of the authority, a certificate, its key")
        return made


def read_address(path: Path) -> str:
    """Return the address in a file that ``dask scheduler --scheduler-file`` wrote; UserError where none is."""
    try:
        return str(json.loads(path.read_bytes())["address"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds no address"
        raise UserError(f"cannot read the scheduler file: {reason}", str(path)) from None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
