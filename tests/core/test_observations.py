"""Rows that an adversary sees, and what is kept from it."""

from __future__ import annotations

from dataclasses import fields, replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.core.observations import Needs, Observations, ShadowView, UndeclaredNeedError, View
from unlearnbench.core.scenarios import Role


def request_rows(episode: int, request: int, counts: dict[Role, int], versions: int = 1) -> Observations:
    """Return the rows of one request; every number in them tells where it belongs."""
    role = np.concatenate([np.full(n, role, dtype=np.int8) for role, n in counts.items()])
    n = len(role)
    record = 1000 * episode + 100 * request + np.arange(n)
    return Observations(
        before=np.asarray(-1.0 * record[:, None] - np.arange(2), dtype=np.float64),
        after=-1.0 * record[:, None, None] - 0.1 * np.arange(1, versions + 1)[:, None] - np.zeros(2),
        versions=np.full(n, versions, dtype=np.int64),
        member=np.tile(role[:, None] == Role.FORGOTTEN, (1, versions + 1)),
        label=record % 2,
        record=record,
        episode=np.full(n, episode),
        request=np.full(n, request),
        role=role,
        position=np.concatenate([np.arange(n) for n in counts.values()]),
    )


def single(episode: int, request: int, versions: int = 1) -> Observations:
    return request_rows(episode, request, {Role.FORGOTTEN: 1, Role.UNSEEN: 4, Role.RETAINED: 2}, versions)


def view(rows: Observations, **needs: object) -> View:
    features = np.arange(len(rows), dtype=float)[:, None]
    return View(
        Needs(**needs),  # type: ignore[arg-type] # keywords of the tests below
        2,
        rows.episode,
        rows.request,
        rows.record.astype(np.uint64),
        rows.before,
        rows.after,
        rows.versions,
        rows.label,
        features,
        None,
        None,
        None,
        None,
    )


def test_concatenation_keeps_every_row_and_pads_short_requests_with_their_last_version() -> None:
    short, long = single(0, 0, versions=1), single(0, 1, versions=3)
    both = Observations.concatenate([short, long])
    assert len(both) == len(short) + len(long)
    assert both.after.shape == (14, 3, 2)
    assert both.member.shape == (14, 4)
    assert both.versions.tolist() == [1] * 7 + [3] * 7
    for v in range(3):
        assert np.array_equal(both.after[:7, v], short.after[:, 0])
        assert np.array_equal(both.member[:7, v + 1], short.member[:, 1])
    assert np.array_equal(both.after[7:], long.after)


def test_the_last_version_alone_is_the_last_real_one_with_the_membership_there() -> None:
    both = Observations.concatenate([single(0, 0, versions=1), single(0, 1, versions=3)])
    member = both.member.copy()
    member[7:, -1] = ~member[7:, -1]
    both = replace(both, member=member)
    last = both.last_only()
    assert last.after.shape == (14, 1, 2)
    assert set(last.versions) == {1}
    assert np.array_equal(last.after[:7, 0], both.after[:7, 0])
    assert np.array_equal(last.after[7:, 0], both.after[7:, 2])
    assert np.array_equal(last.member[:7], both.member[:7, :2])
    assert np.array_equal(last.member[7:], both.member[7:, [0, 3]])
    assert np.array_equal(last.before, both.before)


@pytest.mark.parametrize(
    ("pattern", "left_at"), [("XXX", 0), ("...", 0), (".XX", 0), ("X..", 1), ("XX.", 2), (".X.", 2), ("X.X", 1)]
)
def test_a_record_left_at_the_version_that_it_is_first_gone_from(pattern: str, left_at: int) -> None:
    rows = single(0, 0, versions=2)
    rows = replace(rows, member=np.tile([letter == "X" for letter in pattern], (len(rows), 1)))
    assert rows.left_at().tolist() == [left_at] * len(rows)


def test_padding_never_cuts_a_version_off() -> None:
    with pytest.raises(ValueError, match="negative"):
        single(0, 0, versions=3).pad_versions(2)


@given(st.lists(st.integers(0, 6), max_size=10))
def test_rows_are_taken_whole_and_in_the_order_given(rows: list[int]) -> None:
    everything, chosen = single(2, 3, versions=2), np.array(rows, dtype=np.int64)
    taken = everything.take(chosen)
    assert len(taken) == len(rows)
    for f in fields(Observations):
        assert np.array_equal(getattr(taken, f.name), getattr(everything, f.name)[chosen])


def test_rows_may_be_taken_by_a_mask() -> None:
    rows = single(0, 0)
    assert rows.take(rows.role == Role.UNSEEN).record.tolist() == [1, 2, 3, 4]


def test_the_paired_game_of_a_single_deletion_is_the_record_and_its_first_negative() -> None:
    rows = single(0, 0)
    paired = rows.take(rows.paired(Role.FORGOTTEN, Role.UNSEEN))
    assert paired.role.tolist() == [Role.FORGOTTEN, Role.UNSEEN]
    assert paired.position.tolist() == [0, 0]


@given(st.dictionaries(st.tuples(st.integers(0, 3), st.integers(0, 3)), st.integers(1, 5), min_size=1), st.randoms())
def test_the_paired_game_is_balanced_in_every_request_of_every_episode(
    groups: dict[tuple[int, int], int], random: Random
) -> None:
    """Requests of two episodes may have the same number, and rows may come in any order."""
    parts = [
        request_rows(episode, request, {Role.FORGOTTEN: size, Role.UNSEEN: 6, Role.MATCHED: 3})
        for (episode, request), size in groups.items()
    ]
    rows = Observations.concatenate(parts)
    order = list(range(len(rows)))
    random.shuffle(order)
    rows = rows.take(np.array(order))
    paired = rows.take(rows.paired(Role.FORGOTTEN, Role.UNSEEN))
    for (episode, request), size in groups.items():
        here = paired.take((paired.episode == episode) & (paired.request == request))
        assert sorted(here.role) == [Role.FORGOTTEN] * size + [Role.UNSEEN] * size
        assert sorted(here.position[here.role == Role.UNSEEN]) == list(range(size))


def test_where_negatives_are_too_few_all_of_them_play() -> None:
    rows = request_rows(0, 0, {Role.FORGOTTEN: 3, Role.MATCHED: 1})
    assert rows.paired(Role.FORGOTTEN, Role.MATCHED).tolist() == [True] * 4


def test_no_rows_pair_with_nothing() -> None:
    assert single(0, 0).take(np.empty(0, dtype=np.int64)).paired(Role.FORGOTTEN, Role.UNSEEN).tolist() == []


def test_after_is_the_last_version_that_each_request_really_has() -> None:
    rows = Observations.concatenate([single(0, 0, versions=1), single(0, 1, versions=3), single(0, 2, versions=2)])
    after = rows.after.copy()
    after[:7, 1:] = np.nan  # padding: nobody may look there
    after[14:, 2:] = np.nan
    rows = replace(rows, after=after)
    seen = view(rows).after
    assert seen.shape == (21, 2)
    assert np.array_equal(seen, rows.after[np.arange(21), rows.versions - 1])
    assert np.isfinite(seen).all()
    assert np.array_equal(view(rows).after_each, rows.after, equal_nan=True)


PARTS = ("before", "after", "after_each", "label", "features")


@pytest.mark.parametrize(
    ("needs", "allowed"),
    [
        ({}, {"before", "after", "after_each"}),
        ({"versions": "original"}, {"before"}),
        ({"versions": "unlearned"}, {"after", "after_each"}),
        ({"versions": "none"}, set()),
        ({"versions": "none", "features": True}, {"features"}),
        ({"versions": "original", "label": True}, {"before", "label"}),
        ({"label": True, "features": True}, set(PARTS)),
    ],
)
def test_an_attack_reads_what_it_declares_and_nothing_else(needs: dict[str, object], allowed: set[str]) -> None:
    seen = view(single(0, 0), **needs)
    for part in PARTS:
        if part in allowed:
            assert len(getattr(seen, part)) == len(seen) == 7
        else:
            with pytest.raises(UndeclaredNeedError, match=r"this attack reads .*, which Needs\(.* does not declare"):
                getattr(seen, part)


def test_a_view_has_neither_membership_nor_role_nor_record() -> None:
    kept_back = {"member", "role", "record", "position", "deleted"}
    assert not kept_back & {name.lstrip("_") for name in dir(view(single(0, 0)))}


def test_a_shadow_view_is_a_view_that_knows_what_was_deleted() -> None:
    rows = single(0, 0)
    shadow = ShadowView(
        **vars(view(rows, versions="original")), deleted=rows.role == Role.FORGOTTEN, member=rows.member
    )
    assert shadow.deleted.tolist() == [True] + [False] * 6
    assert np.array_equal(shadow.member, rows.member)
    assert np.array_equal(shadow.before, rows.before)
    with pytest.raises(UndeclaredNeedError):
        _ = shadow.after
