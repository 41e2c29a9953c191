"""Decision trees and random forests in compiled code.

From the bottom up: ``table`` (features as ranks), ``draws`` (keyed randomness), ``sorting`` and ``splits`` (one feature
of one node), ``builder`` (the state of a growing tree), ``search`` and ``children`` (one node), ``growth`` (one tree),
``nodes`` and ``ensemble`` (many trees), ``forest_sums`` (the answers of forests), ``tree_bank`` and ``forests`` (what
models call).
"""
