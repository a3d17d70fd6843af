"""Every page: it loads, fits its window, breaks no rule of accessibility, light and dark, and complains of nothing."""

import pytest
from selenium.webdriver.common.by import By

from browser import browser
from pages import OPERATOR_PAGES, PAGES, details


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_accessible_and_fits_a_wide_window(stack, theme):
    faults = {}
    with browser(theme=theme) as console:
        console.open(stack.url)
        faults["sign-in"] = console.accessibility_faults()
        console.sign_in(stack.tenant, stack.email, stack.password)
        for path, title in (PAGES | details(stack.first)).items():
            console.go(path)
            console.see(title, "h1")
            faults[path] = console.accessibility_faults()
            if console.is_wider_than_window():
                faults[path].append("it is wider than its window")
        console.go("people")
        console.press("Add somebody")
        faults["a dialog"] = console.accessibility_faults()
        assert console.complaints() == []
    assert {path: found for path, found in faults.items() if found} == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_of_the_operator_is_accessible_and_fits_a_narrow_window(stack, theme):
    with browser(width=360, theme=theme) as console:
        console.open(stack.url)
        console.sign_in_as_operator(stack.operator_key)
        for path, title in OPERATOR_PAGES.items():
            console.go(path)
            console.see(title, "h1")
            assert console.accessibility_faults() == [], path
            assert not console.is_wider_than_window(), path
        assert console.complaints() == []


def test_axe_finds_what_is_wrong(fresh):
    fresh.driver.execute_script("document.body.append(document.createElement('img'), document.createElement('button'))")
    assert {one.split(":")[0] for one in fresh.accessibility_faults()} >= {"image-alt", "button-name"}


@pytest.mark.parametrize("width", [390, 360])
def test_no_page_is_wider_than_a_narrow_window(stack, width):
    wide = []
    with browser(width=width) as console:
        console.open(stack.url)
        console.sign_in(stack.tenant, stack.email, stack.password)
        for path in PAGES | details(stack.first):
            console.go(path)
            if console.is_wider_than_window():
                wide.append(path)
    assert wide == []


def test_the_menu_of_a_narrow_screen_opens_and_leads_on(stack):
    with browser(width=390) as console:
        console.open(stack.url)
        console.sign_in(stack.tenant, stack.email, stack.password)
        console.press("Menu")
        console.press("Projects")
        console.see("Projects", "h1")
        assert not console.driver.find_element(By.CSS_SELECTOR, ".nav").is_displayed()


def test_an_unknown_page_says_so(console):
    console.go("nowhere")
    console.see("There is no such page.")


def test_a_page_in_the_address_is_opened_after_the_sign_in(stack, fresh):
    fresh.open(stack.url, "#/projects?status=in_progress")
    fresh.driver.refresh()
    fresh.sign_in(stack.tenant, stack.email, stack.password)
    fresh.see("Projects", "h1")
    assert "status=in_progress" in fresh.driver.current_url


def test_the_operator_sees_tenants_and_their_usage(stack, fresh):
    fresh.sign_in_as_operator(stack.operator_key)
    fresh.see("Tenants", "h1")
    fresh.press("Usage")
    fresh.see("the plan allows", "dialog")
    assert fresh.accessibility_faults() == []
