"""Suites as text, which tests change: the smallest, and one with almost every key."""

from __future__ import annotations

MINIMAL = """\
suite: mine
version: 1
datasets: [adult]
models: [decision-tree]
unlearners: [retrain]
attacks: [sorted-diff]
"""

FULL = """\
suite: mine
version: 3
description: All keys at once.
seeds: [0, 7]
datasets:
  - adult
  - {name: digits, episodes: {records: 400}, adversary: {requests: 3}}
models:
  - decision-tree
  - {name: decision-tree, params: {max_leaf_nodes: 20, rate: 1, layers: [8]}}
  - logistic-regression
unlearners: [retrain, none]
scenarios: [single, {name: group, params: {size: 20}}]
defenses: [none, label-only]
attacks: [classical, sorted-diff]
metrics: [auc]
episodes: {originals: 5, requests: 10}
adversary: {originals: 2}
exclude:
  - {dataset: digits, unlearner: none, because: saves time}
  - {model: logistic-regression, because: "not here"}
engine: reference
device: cpu
"""
