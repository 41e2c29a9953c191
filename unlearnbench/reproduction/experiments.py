"""All experiments, and how to find one by its name or number."""

from __future__ import annotations

from unlearnbench.core.errors import UserError, did_you_mean
from unlearnbench.reproduction import beyond, paper
from unlearnbench.reproduction.experiment import Experiment

EXPERIMENTS = (
    paper.END_TO_END,
    paper.MORE_DATA,
    paper.IMAGES,
    paper.FEATURES,
    paper.OVERFITTING,
    paper.SHADOW_COUNT,
    paper.ATTACK_MODEL,
    paper.TRANSFER_DATA,
    paper.TRANSFER_MODEL,
    paper.SISA_SHARDS,
    paper.VERSIONS,
    paper.GROUP,
    paper.ONLINE,
    paper.RETAINED,
    paper.TOP_K,
    paper.LABEL_ONLY,
    paper.TEMPERATURE,
    paper.DP,
    beyond.RECORD,
    beyond.NOISE,
    beyond.DEFENSES,
    beyond.FRESH_RETRAINING,
)


def experiment_named(name: str) -> Experiment:
    """Return the experiment of that name or number; :class:`UserError` for none."""
    for experiment in EXPERIMENTS:
        if name in (experiment.name, experiment.number):
            return experiment
    known = [experiment.name for experiment in EXPERIMENTS]
    raise UserError(f'unknown experiment "{name}"{did_you_mean(name, known)}')
