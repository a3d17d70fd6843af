"""Every page: it loads, fits its window, breaks no rule of accessibility, light and dark, and complains of nothing."""

import pytest

from browser import browser
from pages import PAGES


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_accessible(stack, theme):
    faults = {}
    with browser(theme=theme) as console:
        console.open(stack.url)
        faults["sign-in"] = console.accessibility_faults()
        console.sign_in(stack.tenant, stack.email, stack.password)
        for path, title in PAGES.items():
            console.go(path)
            console.see(title, "h1")
            faults[path] = console.accessibility_faults()
        assert console.complaints() == []
    assert {path: found for path, found in faults.items() if found} == {}


@pytest.mark.parametrize("width", [1440, 390])
def test_no_page_is_wider_than_its_window(stack, width):
    wide = []
    with browser(width=width) as console:
        console.open(stack.url)
        console.sign_in(stack.tenant, stack.email, stack.password)
        for path in PAGES:
            console.go(path)
            if console.is_wider_than_window():
                wide.append(path)
    assert wide == []


def test_an_unknown_page_says_so(console):
    console.go("nowhere")
    console.see("There is no such page.")


def test_a_page_in_the_address_is_opened_after_the_sign_in(stack, fresh):
    fresh.open(stack.url, "#/projects?status=in_progress")
    fresh.sign_in(stack.tenant, stack.email, stack.password)
    fresh.see("Projects", "h1")
    assert "status=in_progress" in fresh.driver.current_url


def test_the_operator_sees_tenants_and_their_usage(stack, fresh):
    fresh.sign_in_as_operator(stack.operator_key)
    fresh.see("Tenants", "h1")
    fresh.press("Usage")
    fresh.see("the plan allows", "dialog")
    assert fresh.accessibility_faults() == []
