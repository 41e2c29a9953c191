"""Details are packed without loss, and take less room the more they have in common."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from hypothesis import given
from hypothesis import strategies as st

from tests.report.site.big import big_publication
from tests.report.site.unpacking import details_of, unpacked
from unlearnbench.report.publication import Publication
from unlearnbench.report.site.details import packed, script_data
from unlearnbench.report.site.html import to_html
from unlearnbench.report.tracks import TRACKS, tables
from unlearnbench.run.results import Row

MARKUP = st.lists(
    st.one_of(
        st.sampled_from(["<td>", "</td>", "<tr>\n", '<path d="M1 2"/>', "same text", " ", "\n", "\r\n", "a < b", ">"]),
        st.text(),
    )
).map("".join)


@given(st.dictionaries(st.text(), MARKUP, max_size=5))
def test_what_is_packed_comes_back_as_it_was(markup: Mapping[str, str]) -> None:
    assert unpacked(json.loads(str(script_data(packed(markup))))) == markup


@given(st.dictionaries(st.text(), MARKUP, max_size=3))
def test_no_text_ends_the_script_that_holds_it(markup: Mapping[str, str]) -> None:
    assert "<" not in script_data(packed(markup))


def test_a_line_that_many_details_have_is_there_once() -> None:
    line = "<tr><th>accuracy</th><td>.817</td></tr>\n"
    data = packed({str(number): f"{line}{number}\n" for number in range(100)})
    assert json.dumps(data).count("accuracy") == 1


def test_a_row_of_a_large_board_takes_less_than_5500_bytes(row: Callable[..., Row], publication: Publication) -> None:
    """With all of the page: its tables, its details under two attacks of two seeds, its heat maps and figures."""
    big = big_publication(row, publication)
    page = to_html(big, tables(big.rows, big.roles, TRACKS))
    assert len(page.encode()) / len(details_of(page)) < 5_500
