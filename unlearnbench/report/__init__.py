"""Results -> tables and leaderboards."""
