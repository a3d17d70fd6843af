"""Reports on paper: light whatever the screen is, without what is pressed, and whole however long the table."""

import io
import unicodedata

import pypdf
import pytest
import requests
from selenium.webdriver.common.by import By

from browser import browser


def text_of(pages):
    """Ligatures, as fonts draw them, are letters again."""
    return unicodedata.normalize("NFKC", "\n".join(page.extract_text() for page in pages))


def printed(console):
    """What the page's own button prints: the dialog of a real printer is replaced by a note that it came."""
    console.driver.execute_script("""
        delete document.documentElement.dataset.printed;
        window.print = () => { document.documentElement.dataset.printed = 'yes'; };""")
    console.press("Print")
    console.wait(lambda d: d.execute_script("return document.documentElement.dataset.printed === 'yes'"), "the page to print")
    return pypdf.PdfReader(io.BytesIO(console.paper())).pages


@pytest.fixture(scope="module")
def dark(stack):
    """A dark screen, which the reader has chosen; one for all tests of paper."""
    with browser(theme="dark") as console:
        console.open(stack.url)
        console.driver.execute_script("localStorage.setItem('erm.theme', 'dark')")
        console.driver.refresh()
        console.sign_in(stack.tenant, stack.email, stack.password)
        yield console


def everybody(stack, path, key):
    found, cursor = [], None
    while True:
        answer = requests.get(f"{stack.url}/api/v1{path}", params={"limit": 500, "cursor": cursor}, timeout=60,
                              headers={"Authorization": f"Bearer {stack.token}"}).json()
        found += [key(one) for one in answer["data"]]
        cursor = answer["page"]["nextCursor"]
        if cursor is None:
            return found


def test_a_long_report_is_printed_whole_with_its_head_on_every_page(stack, dark):
    # More people than one page of the list has.
    for number in range(60):
        stack.make_person(f"Printed {number:03}", hiredOn="2024-01-01")
    dark.go("reports/availability?from=2026-01-01&to=2026-01-31")
    pages = printed(dark)
    text = text_of(pages)
    people = everybody(stack, "/reports/availability?from=2026-01-01&to=2026-01-31", lambda one: one["employee"]["name"])
    assert len(people) > 100 and len(pages) > 2
    missing = [name for name in people if name not in " ".join(text.split())]
    assert missing == []
    assert all("Committed" in page.extract_text() for page in pages[:-1])


def test_paper_has_neither_navigation_nor_buttons_and_says_what_was_chosen(stack, dark):
    dark.go("reports/utilization?groupBy=department&period=month&from=2026-01-01&to=2026-03-31")
    text = text_of(printed(dark))
    for word in ("Administration", "Sign out", "Print", "CSV", "Over-allocations"):
        assert word not in text, word
    assert "All together" in text and "Utilisation" in text
    assert "by: Department" in text and "period: Month" in text


def test_paper_is_light_on_a_dark_screen(dark):
    dark.go("reports/utilization?groupBy=department&period=month&from=2026-01-01&to=2026-03-31")
    dark.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    colours = dark.driver.execute_script("""
        const light = (element, name) => { const [r, g, b] = getComputedStyle(element)[name].match(/[0-9.]+/g).map(Number); return (r + g + b) / 765; };
        return [light(document.body, "backgroundColor"), light(document.querySelector("tbody th"), "color"), light(document.querySelector("thead th"), "backgroundColor")];""")
    assert colours[0] > 0.9 and colours[1] < 0.4 and colours[2] > 0.8, colours
