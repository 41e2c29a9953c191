"""What ``results.json`` holds: strict types, no unknown key, and no number that tables cannot be computed from."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from unlearnbench.core.estimates import Scale, Status
from unlearnbench.core.versions import Versions
from unlearnbench.hooks.records import EntryRole, Seen
from unlearnbench.run.results import RowStatus
from unlearnbench.suite.model import Axis

Number = Annotated[float, Field(ge=-1e100, le=1e100)]
"""Squares of it, and sums of them, are numbers too."""

Count = Annotated[int, Field(ge=0, le=2**53)]


Share = Annotated[float, Field(ge=0, le=1)]


class Form(BaseModel):
    """The base of all forms."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class EstimateForm(Form):
    """An estimate of a metric."""

    value: Number | None
    low: Number | None
    high: Number | None
    n: int
    status: Status
    reason: str
    scale: Scale
    details: dict[str, Number]


class RefForm(Form):
    """A plug-in with its parameters."""

    name: str
    params: dict[str, Any]


class OutcomesForm(Form):
    """What became of the models of a row."""

    requests: Count
    collapsed: Count
    unmoved: Count


class RowForm(Form):
    """The results of a cell with one seed, or their mean over seeds."""

    dataset: RefForm
    model: RefForm
    unlearner: RefForm
    scenario: RefForm
    defense: RefForm
    attack: RefForm
    labels: dict[Axis, str]
    seed: int | None
    status: RowStatus
    reason: str
    metrics: dict[str, EstimateForm]
    outcomes: OutcomesForm = OutcomesForm(requests=0, collapsed=0, unmoved=0)
    """Left out where it is not known."""


class RoleForm(Form):
    """What a plug-in is in tables."""

    role: EntryRole
    versions: Versions | None = None
    tests_sample: bool = False
    sees: list[Seen] = []
    """Left out where nothing keeps an unlearner from reading everything."""


class CurveForm(Form):
    """A ROC curve."""

    labels: dict[Axis, str]
    fpr: list[Share]
    tpr: list[Share]


class TrialForm(Form):
    """A trial of a tuning."""

    unlearner: str
    trial: Count
    values: dict[str, str | int | float | bool]
    objective: Share | None = None
    chosen: bool = False
    reason: str = ""


class SuiteForm(BaseModel):
    """What boards read of a suite; its other keys are shown as they are."""

    model_config = ConfigDict(extra="allow", strict=True)

    suite: Annotated[str, Field(pattern=r"^[\w.-]+$")]
    description: str = ""
    seeds: list[int]
    trials: list[TrialForm] = []
    """Left out where nothing was tuned."""


class PublicationForm(Form):
    """All of ``results.json``."""

    schema_: Annotated[int, Field(alias="schema")]
    suite: SuiteForm
    suite_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]+$")]
    environment: dict[str, str]
    plugins: dict[Axis, dict[str, RoleForm]]
    rows: list[RowForm]


def check_form(data: object) -> None:
    """Raise ValueError, with the first place that is wrong, for data that is not of the form of ``results.json``."""
    try:
        PublicationForm.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
