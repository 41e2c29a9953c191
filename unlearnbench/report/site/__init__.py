"""Leaderboards as standard tables and as one page: tracks of entries, their ranks, and what is written of them."""
