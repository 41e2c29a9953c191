"""The page in a real browser, opened from disk: sorting, filters, details, keyboard, a phone's width."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.report.site.big import big_publication
from unlearnbench.report.publication import Publication
from unlearnbench.report.site.pages import site
from unlearnbench.run.results import Row

BROWSER, DRIVER = shutil.which("chromium") or shutil.which("chromium-browser"), shutil.which("chromedriver")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (BROWSER and DRIVER), reason="chromium and chromedriver are not installed here"),
]

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-prefers-reduced-motion",  # or a click comes while the page still glides
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(BROWSER)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser: Any, board: Path) -> Iterator[Any]:
    """Open the page anew; whatever a test does, the console must stay silent."""
    browser.get("about:blank")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.get_log("browser")
    browser.get(board.as_uri())
    yield browser
    assert browser.get_log("browser") == []


def css(page: Any, selector: str) -> list[Any]:
    return list(page.find_elements("css selector", selector))


def press(page: Any, *keys: str) -> None:
    from selenium.webdriver import ActionChains

    ActionChains(page).send_keys(*keys).perform()


def shown(page: Any, track: str = "attacks") -> list[str]:
    """The names of a table's visible rows, from top to bottom."""
    script = "return [...document.querySelectorAll(arguments[0])].filter(r => r.offsetParent).map(r => r.dataset.name)"
    return list(page.execute_script(script, f"#{track} tbody tr"))


def column(page: Any, key: str, track: str = "attacks") -> list[float | None]:
    values = page.execute_script("return arguments[0].map(cell => cell.dataset.value)", cells(page, key, track))
    return [float(value) if value else None for value in values]


def cells(page: Any, key: str, track: str = "attacks") -> list[Any]:
    """The numbers of a column, from top to bottom."""
    script = "const { cellIndex } = document.querySelector(arguments[1]); " \
        "return [...document.querySelectorAll(arguments[0])].map(row => row.cells[cellIndex])"  # fmt: skip
    return list(page.execute_script(script, f"#{track} tbody tr", f'#{track} th[data-column="{key}"]'))


def sort_button(page: Any, key: str, track: str = "attacks") -> Any:
    return css(page, f'#{track} [data-key="{key}"]')[0]


def aria_sort(button: Any) -> str | None:
    found = button.find_element("xpath", "ancestor::th").get_attribute("aria-sort")
    return None if found is None else str(found)


def test_a_click_sorts_a_second_turns_round_and_a_third_restores(page: Any) -> None:
    first = shown(page)
    button = sort_button(page, "auc")
    for direction, turned in (("descending", True), ("ascending", False)):
        button.click()
        assert aria_sort(button) == direction
        values = column(page, "auc")
        numbers = [value for value in values if value is not None]
        assert numbers == sorted(numbers, reverse=turned)
        assert values[len(numbers) :] == [None]  # the failed row is last both ways
    button.click()
    assert aria_sort(button) is None
    assert shown(page) == first


def test_one_column_at_a_time_is_sorted_by(page: Any) -> None:
    name, rank = sort_button(page, "name"), sort_button(page, "rank")
    name.click()
    assert shown(page) == sorted(shown(page), key=str.lower)
    rank.click()
    assert (aria_sort(name), aria_sort(rank)) == (None, "ascending")
    assert len(css(page, "th[aria-sort]")) == 1


def test_sorting_is_said_aloud_and_works_by_keyboard(page: Any) -> None:
    button = sort_button(page, "auc")
    page.execute_script("arguments[0].focus()", button)
    press(page, " ")
    assert aria_sort(button) == "descending"
    assert css(page, "[role=status]")[0].get_attribute("textContent") == "Sorted by AUC, descending"


def test_words_filter_all_tables(page: Any) -> None:
    everything = len(shown(page))
    css(page, "#find")[0].send_keys("mlp SORTED")
    assert shown(page) == ["sorted-diff"]
    assert css(page, "#attacks .count")[0].text == f"1 of {everything}"
    assert shown(page, "unlearners") == []
    assert css(page, "#unlearners .empty")[0].is_displayed()
    assert css(page, "[role=status]")[0].get_attribute("textContent").startswith("1 of ")


def test_controls_and_baselines_can_be_put_away(page: Any) -> None:
    css(page, "#others")[0].click()
    assert shown(page, "unlearners") == ["sisa", "<b>fast</b>"] * 2
    assert not {"random", "classical"} & set(shown(page))
    css(page, "#others")[0].click()
    assert "random" in shown(page)


def test_a_model_can_be_chosen_for_tables_and_figures(page: Any) -> None:
    from selenium.webdriver.support.ui import Select

    Select(css(page, 'select[data-axis="model"]')[0]).select_by_visible_text("mlp")
    assert shown(page, "defenses") == ["label-only", "temperature", "none"]
    captions = [caption.text for caption in css(page, "figcaption") if caption.is_displayed()]
    assert captions == ["mlp"] * 4


def test_details_open_close_on_escape_and_give_the_focus_back(page: Any) -> None:
    button = css(page, "#attacks .open")[0]
    page.execute_script("arguments[0].focus()", button)
    press(page, "\ue007")  # enter
    dialog = css(page, "#detail")[0]
    assert dialog.is_displayed()
    assert dialog.accessible_name == "sorted-diff"
    for part in ("seed 2", "Parameters", "Provenance", "abc123", "unlearnbench run made-up --only dataset=adult"):
        assert part in dialog.text
    row = button.find_element("xpath", "ancestor::tr").get_attribute("id")
    assert page.current_url.endswith(f"#{row}")
    assert row.startswith("attack-sorted-diff-")
    press(page, "\ue00c")  # escape
    assert not dialog.is_displayed()
    assert page.switch_to.active_element == button
    assert "#" not in page.current_url


def test_a_link_opens_the_details_of_a_row(page: Any, board: Path) -> None:
    row = css(page, '#unlearners tr[data-name="sisa"]')[0].get_attribute("id")
    page.get("about:blank")
    page.get(f"{board.as_uri()}#{row}")
    assert css(page, "#detail-body h2")[0].text == "sisa"
    css(page, "#detail .close")[0].click()
    assert not css(page, "#detail")[0].is_displayed()


def test_a_name_that_is_markup_stays_text_in_tables_and_details(page: Any) -> None:
    (button,) = (button for button in css(page, "#attacks .open") if "script" in button.text)
    assert button.text == "blind('<script>throw 1</script>')"
    button.click()
    assert css(page, "#detail-body h2")[0].text == button.text
    assert len(css(page, "script")) == 2, "the page's own, and the data of details"


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_the_page_never_scrolls_sideways(page: Any, board: Path, width: int) -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    page.get("about:blank")
    page.get(board.as_uri())
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    css(page, "#unlearners .open")[0].click()
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    box = css(page, "#detail")[0].rect
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_readers_colours(page: Any, scheme: str) -> None:
    page.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    ground = page.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (int(ground[4:].split(",")[0]) < 128) == (scheme == "dark")
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_every_control_is_reached_by_tab_and_shows_its_focus(page: Any) -> None:
    script = "const e = document.activeElement; return [e.className || e.id, getComputedStyle(e).outlineStyle]"
    seen = []
    for _ in range(30):
        press(page, "\ue004")  # tab
        seen.append(tuple(page.execute_script(script)))
    names = [name for name, _ in seen]
    assert names[0] == "skip"
    assert {"find", "others", "scroll", "sort", "open"} <= set(names)
    assert all(style != "none" for _, style in seen)


@pytest.fixture(scope="module")
def big_site(row: Callable[..., Row], publication: Publication, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the site of a small board and of one with 40 unlearners, 12 attacks and 3 models; return its folder."""
    root = tmp_path_factory.mktemp("site")
    boards = {"made-up": publication, "big": big_publication(row, publication)}
    for name, text in site(boards):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def at(page: Any, big_site: Path) -> Callable[..., Any]:
    """Return what opens a file of the site at a width."""

    def opened(name: str, width: int = 1280) -> Any:
        metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
        page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        page.get("about:blank")
        path, _, fragment = name.partition("#")
        page.get((big_site / path).as_uri() + (f"#{fragment}" if fragment else ""))
        return page

    return opened


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_of_a_large_site_scrolls_sideways(at: Callable[..., Any], big_site: Path, width: int) -> None:
    method = next(big_site.glob("methods/unlearner-method-12-*"))
    for name in ("index.html", "compare.html", "big/index.html", f"methods/{method.name}"):
        assert at(name, width).execute_script("return document.documentElement.scrollWidth") <= width, name


@pytest.mark.parametrize("width", [390, 1280])
def test_the_name_of_a_row_stays_while_its_numbers_scroll(at: Callable[..., Any], width: int) -> None:
    opened = at("big/index.html", width)
    for table in ("#unlearners .scroll", ".heat .scroll"):
        script = "const s = document.querySelector(arguments[0]); s.scrollLeft = 60; " \
            "const left = s.querySelector('tbody th').getBoundingClientRect().left - s.getBoundingClientRect().left; " \
            "return [s.scrollLeft, left]"  # fmt: skip
        moved, left = opened.execute_script(script, table)
        if table.startswith(".heat") or width > 600:  # the narrow table has what fits
            assert (moved > 0 or width > 600, 0 <= left <= 2) == (True, True), table


def test_columns_are_chosen_one_by_one_and_by_keyboard(at: Callable[..., Any]) -> None:
    opened = at("big/index.html", 390)
    choice = css(opened, "#unlearners .columns")[0]

    def is_shown() -> bool:
        return bool(cells(opened, "test-accuracy", "unlearners")[0].is_displayed())

    assert not is_shown()
    choice.find_element("css selector", "summary").send_keys("\ue007")
    box = choice.find_element("css selector", "input[data-column=test-accuracy]")
    box.send_keys(" ")
    assert is_shown()
    box.send_keys(" ")
    assert not is_shown()
    box.send_keys("\ue00c")  # escape
    assert choice.get_attribute("open") is None


def test_two_methods_are_compared_where_both_have_numbers(at: Callable[..., Any], big_site: Path) -> None:
    first, second = (next(big_site.glob(f"methods/unlearner-method-{number}-*")).stem for number in (4, 23))
    opened = at(f"compare.html#{first}/{second}")
    heads = [css(opened, f"#{name}-head")[0].text for name in ("first", "second")]
    assert heads == ["method-4(rate=0.4)", "method-23(rate=0.23)"]
    assert css(opened, "#verdict")[0].text.startswith("21 numbers in common.")
    link = css(opened, "#rows a")[0].get_attribute("href")
    opened.get(link)
    assert css(opened, "#detail-body h2")[0].text == "method-4(rate=0.4)"
    css(opened, "#detail-body a[href*=methods]")[0].click()
    assert css(opened, "h1")[0].text == "method-4(rate=0.4)"
