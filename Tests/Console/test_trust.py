"""Sessions, rights, bad networks and hostile names."""

import time
import uuid

from selenium.webdriver.common.by import By

from browser import browser

HOSTILE = {
    "markup": '<img src=x onerror="document.title=1">',
    "right-to-left": "\u202egnp.exe \u0645\u0631\u062d\u0628\u0627",
    "combining": "Z" + "\u0300" * 190,
    "long": "W" * 200,
}


def test_a_reload_keeps_the_session_and_the_token_is_in_no_store(stack, fresh):
    fresh.sign_in(stack.tenant, stack.email, stack.password)
    fresh.driver.refresh()
    fresh.wait(lambda d: d.find_elements(By.CSS_SELECTOR, ".frame"), "the session to be taken up")
    stored = fresh.driver.execute_script("return JSON.stringify({...localStorage}) + JSON.stringify({...sessionStorage}) + document.cookie")
    assert "erm_" not in stored.replace("erm.", "") and "eyJ" not in stored


def test_signing_out_ends_both_tabs(stack, fresh):
    fresh.sign_in(stack.tenant, stack.email, stack.password)
    first = fresh.driver.current_window_handle
    fresh.driver.switch_to.new_window("tab")
    fresh.open(stack.url)
    fresh.wait(lambda d: d.find_elements(By.CSS_SELECTOR, ".frame"), "the second tab to have the session")
    fresh.press("Sign out")
    fresh.driver.switch_to.window(first)
    fresh.see("You signed out in another tab.", "body")


def test_a_session_that_ends_in_the_middle_of_a_form_loses_nothing(stack, fresh):
    email, password = stack.make_user("manager")
    fresh.sign_in(stack.tenant, email, password)
    fresh.go("people")
    fresh.press("Add somebody")
    name = f"Kept {uuid.uuid4().hex[:8]}"
    fresh.fill("name", name)
    fresh.fill("externalId", name)
    user = next(one for one in stack.call("GET", "/users?limit=500")["data"] if one["email"] == email)
    stack.call("PATCH", f"/users/{user['id']}", {"password": password + "!"})
    time.sleep(1.2)
    fresh.press("Save")
    fresh.see("The session has ended", "dialog[data-sign-in]")
    fresh.fill("password", password + "!")
    fresh.press("Sign in")
    fresh.wait(lambda d: not d.find_elements(By.CSS_SELECTOR, "dialog[data-sign-in]"), "the sign-in dialog to close")
    fresh.press("Save")
    fresh.dialog_closes()
    assert name in str(stack.call("GET", f"/employees?externalId={name}"))


def test_a_network_that_fails_for_ten_seconds_is_waited_for(stack, fresh):
    fresh.sign_in(stack.tenant, stack.email, stack.password)
    fresh.go("projects")
    fresh.driver.execute_cdp_cmd("Network.enable", {})
    conditions = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    fresh.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": True, **conditions})
    fresh.driver.execute_script("location.hash = '#/skills'")
    time.sleep(10)
    fresh.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": False, **conditions})
    fresh.see("Skills and departments", "h1")
    fresh.settle()
    assert not fresh.driver.find_elements(By.CSS_SELECTOR, ".failure") or fresh.press("Try again") is None


def test_a_viewer_sees_no_control_that_would_be_refused(stack):
    email, password = stack.make_user("viewer")
    refused = {"Add somebody", "Add a project", "Book somebody", "Train a model", "Roll back", "Invite somebody", "Make a key",
               "Add a role", "Save", "Add a skill", "Add a department", "Ask", "Edit", "Delete", "Set a schedule"}
    with browser() as console:
        console.open(stack.url)
        console.sign_in(stack.tenant, email, password)
        seen = {}
        for path in ("board", "people", "projects", "skills", "models", "administration/users", "administration/roles",
                     "administration/keys", "administration/settings"):
            console.go(path)
            seen[path] = console.buttons() & refused
    assert {path: found for path, found in seen.items() if found} == {}


def test_hostile_names_are_text_and_keep_the_layout(stack, console):
    project = stack.make_project(HOSTILE["markup"])
    mark = uuid.uuid4().hex[:8]
    people = [stack.make_person(f"{mark} {name}"[:200], hiredOn="2024-01-01") for name in HOSTILE.values()]
    for person in people:
        stack.book(person, project, startDate="2026-03-02", endDate="2026-03-06", allocationPercentage=50)
    for path in (f"people?name={mark}", f"board?text={mark}&from=2026-02-23", f"people/{people[0]['id']}", f"projects/{project['id']}"):
        console.go(path)
        assert not console.is_wider_than_window(), path
        assert not console.driver.find_elements(By.CSS_SELECTOR, "main img"), path
    assert HOSTILE["markup"] in console.text("h1")
