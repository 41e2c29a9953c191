"""The keys of a suite file, described once: for the reader, for the JSON Schema and for the documentation's tests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from unlearnbench.hooks.records import Kind
from unlearnbench.suite.model import AXES

KINDS: tuple[Kind, ...] = (*AXES, "metric")
"""The kinds of plug-ins that a suite lists."""

SHADOWED: tuple[Kind, ...] = ("dataset", "model")
"""The kinds of which the adversary may use another plug-in than the target."""

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
"""The form of a suite's name."""

MOST_VERSION = 10**6
MOST_SEED = 2**63 - 1


@dataclass(frozen=True)
class Key:
    """One key of a suite file."""

    description: str
    required: bool = False
    default: object = None
    """What a suite that omits the key gets; None where nothing takes its place."""


KEYS: Mapping[str, Key] = {
    "suite": Key("The name; equal to the file's.", required=True),
    "version": Key("Raise it when the suite changes.", required=True),
    "description": Key("What the suite measures, in one line."),
    "seeds": Key("The whole suite is run once for each seed.", default=[0]),
    "datasets": Key("The data sets.", required=True),
    "models": Key("The target models.", required=True),
    "unlearners": Key("The unlearning algorithms.", required=True),
    "scenarios": Key("The kinds of deletion requests.", default=["single"]),
    "defenses": Key("The defenses; none is a defense too.", default=["none"]),
    "attacks": Key("The attacks.", required=True),
    "metrics": Key(
        "The metrics.",
        default=[
            "auc",
            "tpr-at-fpr",
            "advantage",
            "precision-at-prior",
            "deg-count",
            "deg-rate",
            "identical-posteriors",
            "utility",
        ],
    ),
    "episodes": Key("How many models each side trains and how many records it queries."),
    "adversary": Key("The sizes that differ on the adversary's side, its reference models, and what it asks besides."),
    "tune": Key("The search space in which `tune` looks for the parameters of unlearners, and the number of trials."),
    "trials": Key("Every trial that the parameters were chosen by, as `tune` writes it; a run does not read it."),
    "exclude": Key("Cells that are not run, each with the reason."),
    "plugins": Key("One-file plug-ins, relative to the suite file."),
    "engine": Key("How models are trained: fast paths where there are any, always, or never.", default="auto"),
    "device": Key("Where torch models are trained.", default="auto"),
    "timeout": Key("The most seconds that one episode, or the evaluation of one cell, may take."),
    "memory": Key("The most memory that the process of one episode or cell may hold, such as 4GB."),
}
"""The keys of a suite file."""

REQUIRED: tuple[str, ...] = tuple(name for name, key in KEYS.items() if key.required)
DEFAULTS: Mapping[str, object] = {name: key.default for name, key in KEYS.items() if key.default is not None}
