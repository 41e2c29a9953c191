"""The tracks of a leaderboard: each a kind of table, one file a track."""

from __future__ import annotations

from unlearnbench.report.tracks.attack import ATTACK
from unlearnbench.report.tracks.defense import DEFENSE
from unlearnbench.report.tracks.record_or_region import RECORD_OR_REGION
from unlearnbench.report.tracks.tables import Rank, TrackRow, TrackTable, by_track, shown_columns, tables
from unlearnbench.report.tracks.track import CHANCE, Column, RowWithSeeds, Scatter, Selected, Setting, Track
from unlearnbench.report.tracks.unlearner import UNLEARNER

__all__ = [
    "CHANCE",
    "TRACKS",
    "UNLEARNER",
    "Column",
    "Rank",
    "RowWithSeeds",
    "Scatter",
    "Selected",
    "Setting",
    "Track",
    "TrackRow",
    "TrackTable",
    "by_track",
    "shown_columns",
    "tables",
]

TRACKS: tuple[Track, ...] = (ATTACK, RECORD_OR_REGION, UNLEARNER, DEFENSE)
"""In the order in which leaderboards show them."""
