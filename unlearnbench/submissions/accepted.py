"""The record of an accepted submission, beside it: when and how it was checked, and what a board needs of its plug-ins.

A board is built without the plug-ins of its entries. What only they can tell (labels, parameters, roles) and what was
computed by the check (outcomes, ROC curves) is therefore written down when a submission is accepted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from unlearnbench.core.errors import UserError, describe_error
from unlearnbench.core.files import write_whole
from unlearnbench.report.published_form import Count, CurveForm, Form, RoleForm
from unlearnbench.report.roles import Roles
from unlearnbench.run.results import Row
from unlearnbench.submissions.context import CheckContext
from unlearnbench.submissions.curves import curves
from unlearnbench.submissions.findings import cell_id
from unlearnbench.submissions.reading import ACCEPTED
from unlearnbench.submissions.rerun import RUN_AGAIN
from unlearnbench.suite.model import AXES, Axis

SCHEMA = 1
MOST_BYTES = 16 * 2**20
"""Of a record; those of large boards have some hundred thousand."""
ACCEPT_AGAIN = "accept it again: leaderboard check FOLDER --accept"


class RefForm(Form):
    """A plug-in of the plan, as tables call it."""

    label: str
    name: str
    params: dict[str, Any]


class Acceptance(Form):
    """All of ``accepted.json``."""

    schema_: Annotated[int, Field(alias="schema", ge=SCHEMA, le=SCHEMA)] = SCHEMA
    id: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    drawn_from: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """The digest that cells to run again were drawn by, where it was accepted in an earlier form of its files."""
    date: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
    """When it was accepted (UTC)."""
    status: Literal["accepted", "withdrawn"] = "accepted"
    reason: str = ""
    """Why it was withdrawn."""
    nonce: str = ""
    """The text that drew the cells to run again."""
    rerun: tuple[str, ...] = ()
    """The cells that were run again, a line each."""
    plugins: dict[Axis, list[RefForm]]
    """Every plug-in of its cells, in the order of the suite."""
    roles: dict[Axis, dict[str, RoleForm]]
    """What these are in tables, by name."""
    outcomes: list[tuple[Count, Count, Count] | None]
    """Requests, collapsed and unmoved models of each group; null where the submission does not say it."""
    curves: tuple[CurveForm, ...] = ()

    def write(self, folder: Path) -> Path:
        """Write the record beside the submission in ``folder``; return its path."""
        data = self.model_dump(mode="json", by_alias=True, exclude_unset=True)
        lines = (f'"{key}": {json.dumps(value, allow_nan=False)}' for key, value in data.items())
        return write_whole(folder / ACCEPTED, "{\n" + ",\n".join(lines) + "\n}\n")

    @classmethod
    def read(cls, folder: Path) -> Acceptance:
        """Read the record beside a submission; :class:`UserError` where it is none."""
        file = folder / ACCEPTED
        try:
            with file.open("rb") as stream:
                content = stream.read(MOST_BYTES + 1)
            if len(content) > MOST_BYTES:
                raise UserError(
                    f"is no record of an acceptance: more than {MOST_BYTES} bytes; {ACCEPT_AGAIN}", str(file)
                )
            return cls.model_validate_json(content)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            what = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
            raise UserError(f"is no record of an acceptance ({what}); {ACCEPT_AGAIN}", str(file)) from None
        except OSError as error:
            raise UserError(f"cannot be read ({describe_error(error)})", str(file)) from None


def accepted_among(submissions: Path) -> list[Path]:
    """Return which folders within ``submissions`` hold an accepted submission, in alphabetical order."""
    return [file.parent for file in sorted(submissions.glob(f"*/{ACCEPTED}"))]


def accept(context: CheckContext, rows: Sequence[Row], nonce: str = "", rerun: Sequence[str] = ()) -> Path:
    """Write the record of a submission without findings; return its path.

    ``rows`` are its computed rows, ``rerun`` the lines of the cells that were run again, drawn by ``nonce``. The
    date of an earlier acceptance of the same submission stays, and so does the reason why it was withdrawn.
    """
    document, folder = context.submission.document, context.submission.folder
    own = [row for row in rows if document.owns((*row.names.values(), str(row.seed)))]
    roles = Roles.of(context.plan.full, context.instances.registry)
    data = {
        "schema": SCHEMA,
        "id": document.id,
        "digest": document.digest,
        **_standing(folder, document.digest),
        "nonce": nonce,
        "rerun": [line.removeprefix(f"{RUN_AGAIN}, ") for line in rerun],
        "plugins": _plugins(context),
        "roles": roles.to_dict(),
        "outcomes": [_outcomes(context, rows, number) for number in range(len(context.groups))],
        "curves": [
            {"labels": dict(curve.labels), "fpr": list(curve.fpr), "tpr": list(curve.tpr)}
            for curve in curves(context, own, roles)
        ],
    }
    return Acceptance.model_validate_json(json.dumps(data)).write(folder)


def withdraw(folder: Path, reason: str) -> Path:
    """Write into the record of an accepted submission why it is withdrawn; :class:`UserError` where there is none."""
    if not reason.strip():
        raise UserError("--because takes the reason, which the board shows")
    return Acceptance.read(folder).model_copy(update={"status": "withdrawn", "reason": reason}).write(folder)


def _standing(folder: Path, digest: str) -> dict[str, str]:
    """Return the date, and the status and reason of a submission that was withdrawn before."""
    try:
        earlier = Acceptance.read(folder)
    except UserError:
        earlier = None
    if earlier is None or earlier.digest != digest:
        return {"date": datetime.now(UTC).date().isoformat()}
    withdrawn = {"status": earlier.status, "reason": earlier.reason} if earlier.status == "withdrawn" else {}
    return {"date": earlier.date, **withdrawn}


def _plugins(context: CheckContext) -> dict[str, list[dict[str, object]]]:
    cells = [*context.plan.cells.values(), *context.plan.skipped]
    used = {(axis, ref.label) for cell in cells for axis, ref in cell.axes.items()}
    return {
        axis: [
            {"label": ref.label, "name": ref.name, "params": dict(ref.params)}
            for ref in context.plan.full.axes[axis]
            if (axis, ref.label) in used
        ]
        for axis in AXES
    }


def _outcomes(context: CheckContext, rows: Sequence[Row], number: int) -> tuple[int, int, int] | None:
    """Return the outcomes of a group, which all of its cells share."""
    _, group = context.groups[number]
    names = {cell_id(cell) for cell in group.cells.values()}
    found = next((row.outcomes for row in rows if (*row.names.values(), str(row.seed)) in names), None)
    return (found.requests, found.collapsed, found.unmoved) if found else None
