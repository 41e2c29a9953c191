"""How often does a 95 % interval hold the mean over all seeds? One small experiment per design, repeated per seed.

    python benchmarks/coverage/measure.py --seeds 120 --cache /tmp/coverage --write docs/statistics.md

Target and shadow models, requests, queries and attacks are new for each seed. What was measured is kept in the cache,
one file per design, and not measured again.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from unlearnbench import Attack, EpisodeSizes, Estimate, observe
from unlearnbench.hooks.registry import load_registry
from unlearnbench.run.instances import PluginInstances, default_ref

ATTACKS = ("sorted-diff", "score-diff", "classical", "random")
METRICS = ("auc", "tpr-at-fpr", "advantage", "precision-at-prior", "deg-count", "deg-rate")
PER_MODEL = ("identical-posteriors", "utility")
"""Metrics that do not depend on the attack: measured once, under the name :data:`MODELS`."""
MODELS = "models"
LEAST, MOST = 0.93, 0.97
"""How often intervals have to hold: each at least, and those of a number in all designs at most."""
BEGIN, END = "<!-- begin: written by make coverage-intervals -->", "<!-- end: written by make coverage-intervals -->"

Numbers = Mapping[str, Mapping[str, Sequence[float | None]]]
"""Value, low and high of each number of each attack; None where there is none."""


@dataclass(frozen=True)
class Design:
    """What is trained for each seed."""

    dataset: str
    model: str
    sizes: EpisodeSizes

    @property
    def name(self) -> str:
        """The name of its file and of its column."""
        return f"{self.dataset}, {self.model}"


ADULT = EpisodeSizes(originals=10, requests=5, records=400, negatives=50, matched=5, retained=5)
DIGITS = EpisodeSizes(originals=10, requests=5, records=300, negatives=20, matched=5, retained=5)
DESIGNS = tuple(
    Design(dataset, model, sizes)
    for dataset, sizes in (("adult", ADULT), ("digits", DIGITS))
    for model in ("decision-tree", "logistic-regression")
)


def measure_seed(design: Design, seed: int) -> Numbers:
    """Train and attack the models of one seed."""
    seen = observe(design.dataset, design.model, sizes=design.sizes, seed=seed)
    instances = PluginInstances(load_registry())
    made = {name: instances.make(default_ref(instances.registry, "attack", name), Attack) for name in ATTACKS}
    found = {name: _plain(seen.measure(attack, _metrics(name))) for name, attack in made.items()}
    return {**found, MODELS: _plain(seen.measure(made["random"], PER_MODEL))}


def _metrics(attack: str) -> Sequence[str]:
    """Return what is measured of an attack; ``classical`` is what degradation is measured against."""
    return METRICS if attack != "classical" else [name for name in METRICS if not name.startswith("deg")]


def _plain(estimates: Mapping[str, Estimate]) -> dict[str, tuple[float | None, float | None, float | None]]:
    return {name: (estimate.value, estimate.low, estimate.high) for name, estimate in estimates.items()}


def measured(design: Design, seeds: range, cache: Path) -> list[Numbers]:
    """Return the numbers of each seed; those that the cache holds are read, the others are measured and kept."""
    file = cache / f"{design.name}, from {seeds.start}.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines()[: len(seeds)] if file.exists() else []
    found: list[Numbers] = [json.loads(line) for line in lines]
    for seed in seeds[len(found) :]:
        found.append(measure_seed(design, seed))
        with file.open("a", encoding="utf-8") as out:
            out.write(json.dumps(found[-1]) + "\n")
        print(f"{design.name}: seed {seed}", flush=True)  # noqa: T201 - a script reports
    return found


def coverage(numbers: Sequence[Sequence[float | None]]) -> tuple[float | None, int]:
    """Return which share of the intervals hold the mean of all values, and how many intervals there are.

    ``numbers`` (seeds, 3) are values, lows and highs; no share without intervals.
    """
    values = [value for value, _, _ in numbers if value is not None]
    ends = [(low, high) for _, low, high in numbers if low is not None and high is not None]
    if not ends:
        return None, 0
    truth = float(np.mean(values))
    return float(np.mean([low <= truth <= high for low, high in ends])), len(ends)


def table(attack: str, by_design: Mapping[str, Sequence[Numbers]]) -> Iterator[str]:
    """Yield the lines of an attack's table: a row for each number, a column for each design."""
    yield f"| {attack} | " + " | ".join(f"{design}, {len(seeds)} seeds" for design, seeds in by_design.items()) + " |"
    yield "|---" * (len(by_design) + 1) + "|"
    names = dict.fromkeys(name for seeds in by_design.values() for numbers in seeds for name in numbers[attack])
    for name in names:
        cells = [_cell([numbers[attack][name] for numbers in seeds]) for seeds in by_design.values()]
        if set(cells) != {"-"}:
            yield f"| `{name}` | " + " | ".join(cells) + " |"


def _cell(numbers: Sequence[Sequence[float | None]]) -> str:
    share, count = coverage(numbers)
    if share is None:
        return "-"
    text = f"{share:.3f}".lstrip("0")
    return text if count == len(numbers) else f"{text} ({count})"


def page(by_design: Mapping[str, Sequence[Numbers]], first: int = 0) -> str:
    """Return the tables as Markdown, with a line that says what they are."""
    seeds = min(len(found) for found in by_design.values())
    head = (
        f"Seeds from {first}. In brackets: how many of them have an interval, where not all do; "
        f"`-`: none has; numbers without any are left out. With {seeds} seeds a true coverage of .95 shows as "
        f"{_spread(seeds)[0]:.2f} to {_spread(seeds)[1]:.2f}."
    ).replace(" 0.", " .")
    tables = ["\n".join(table(attack, by_design)) for attack in (*ATTACKS, MODELS)]
    return "\n\n".join([BEGIN, head, "\n".join(pooled_table(by_design)), *tables, END])


def pooled(by_design: Mapping[str, Sequence[Numbers]]) -> dict[str, list[tuple[float, int]]]:
    """Return, for each number, coverage and count of intervals in each design and for each attack that has some."""
    found: dict[str, list[tuple[float, int]]] = {}
    for seeds in by_design.values():
        for attack, names in seeds[0].items():
            for name in names:
                share, count = coverage([one[attack][name] for one in seeds if name in one[attack]])
                if share is not None:
                    found.setdefault(name, []).append((share, count))
    return found


def _pool(parts: Sequence[tuple[float, int]]) -> tuple[int, int]:
    """Return how many intervals hold, and how many there are."""
    return sum(round(share * count) for share, count in parts), sum(count for _, count in parts)


def pooled_table(by_design: Mapping[str, Sequence[Numbers]]) -> Iterator[str]:
    """Yield the lines of a table of all numbers, over designs and attacks."""
    yield "| all designs and attacks | covers | intervals | lowest | highest |"
    yield "|---|---|---|---|---|"
    for name, parts in pooled(by_design).items():
        hold, count = _pool(parts)
        shares = (hold / count, min(share for share, _ in parts), max(share for share, _ in parts))
        all_of_it, lowest, highest = (f"{share:.3f}".removeprefix("0") for share in shares)
        yield f"| `{name}` | {all_of_it} | {count:,} | {lowest} | {highest} |"


def _spread(seeds: int) -> tuple[float, float]:
    """Return in which range an observed share lies 95 times of 100 if the true one is .95."""
    half = 1.96 * (0.95 * 0.05 / seeds) ** 0.5
    return 0.95 - half, min(1.0, 0.95 + half)


def failing(by_design: Mapping[str, Sequence[Numbers]]) -> Iterator[str]:
    """Yield each number whose intervals hold too seldom or, over all designs, too often by more than chance.

    That is p < .001, as if the attacks of a seed were independent.
    """
    for name, parts in pooled(by_design).items():
        hold, count = _pool(parts)
        if binomtest(hold, count, MOST, "greater").pvalue < 0.001:
            yield f"{name}: {hold / count:.3f} of {count} intervals hold, more than {MOST}"
    for design, seeds in by_design.items():
        for attack, numbers in seeds[0].items():
            for name in numbers:
                share, count = coverage([one[attack][name] for one in seeds if name in one[attack]])
                if share is not None and binomtest(round(share * count), count, LEAST, "less").pvalue < 0.001:
                    yield f"{design}, {attack}, {name}: {share:.3f} of {count} intervals hold, at least {LEAST} must"


def write(text: str, document: Path) -> None:
    """Put the tables between their markers."""
    old = document.read_text(encoding="utf-8")
    before, rest = old.split(BEGIN)
    document.write_text(before + text + rest.split(END)[1], encoding="utf-8")


def main() -> None:
    """Measure, print, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seeds", type=int, default=120, help="how many seeds")
    parser.add_argument("--cache", type=Path, default=Path(".coverage-intervals"), help="folder of what was measured")
    parser.add_argument("--only", default="", help="designs whose name has this text")
    parser.add_argument("--write", type=Path, help="document to put the tables into")
    given = parser.parse_args()
    given.cache.mkdir(parents=True, exist_ok=True)
    seeds = range(given.first, given.first + given.seeds)
    chosen = [design for design in DESIGNS if given.only in design.name]
    by_design = {design.name: measured(design, seeds, given.cache) for design in chosen}
    text = page(by_design, given.first)
    print(text)  # noqa: T201 - a script reports
    if given.write:
        write(text, given.write)
    if problems := list(failing(by_design)):
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
