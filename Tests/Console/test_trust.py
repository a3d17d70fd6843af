"""Sessions, rights, bad networks, hostile names and the content security policy."""

import time
import uuid

import pytest
import requests
from selenium.webdriver.common.by import By

from browser import browser

HOSTILE = {
    "markup": '<img src=x onerror="document.title=1">',
    "right-to-left": "\u202egnp.exe \u0645\u0631\u062d\u0628\u0627",
    "combining": "Z" + "\u0300" * 190,
    "long": "W" * 200,
}
FRAME = (By.CSS_SELECTOR, ".frame")


def test_a_reload_keeps_the_session_and_the_token_is_in_no_store(stack, fresh):
    fresh.sign_in(stack.tenant, stack.email, stack.password)
    fresh.driver.refresh()
    fresh.wait(lambda d: d.find_elements(*FRAME), "the session to be taken up")
    stored = fresh.driver.execute_script("return JSON.stringify({...localStorage}) + JSON.stringify({...sessionStorage}) + document.cookie")
    assert "erm_" not in stored.replace("erm.", "") and "eyJ" not in stored


def test_a_wrong_password_is_said_and_the_fields_stay(stack, fresh):
    fresh.fill("tenant", stack.tenant)
    fresh.fill("email", "nobody@demo.example")
    fresh.fill("password", "not the password")
    fresh.press("Sign in")
    fresh.see("password", ".failure")
    assert fresh.driver.find_element(By.NAME, "email").get_property("value") == "nobody@demo.example"


def test_signing_out_ends_both_tabs(stack, fresh):
    fresh.sign_in(stack.tenant, stack.email, stack.password)
    first = fresh.driver.current_window_handle
    fresh.driver.switch_to.new_window("tab")
    fresh.open(stack.url)
    fresh.wait(lambda d: d.find_elements(*FRAME), "the second tab to have the session")
    fresh.press("Sign out")
    fresh.driver.switch_to.window(first)
    fresh.see("You signed out in another tab.", "body")


def test_signing_out_leaves_nothing_of_the_page_behind(stack, fresh):
    fresh.sign_in(stack.tenant, stack.email, stack.password)
    first = fresh.driver.current_window_handle
    fresh.go("people")
    fresh.press("Add somebody")
    fresh.fill("name", "Not for whoever comes next")
    fresh.driver.switch_to.new_window("tab")
    fresh.open(stack.url)
    fresh.wait(lambda d: d.find_elements(*FRAME), "the second tab to have the session")
    fresh.press("Sign out")
    fresh.driver.switch_to.window(first)
    fresh.see("You signed out in another tab.", "body")
    fresh.wait(lambda d: not d.find_elements(By.TAG_NAME, "dialog"), "the form to be gone")


def test_a_session_that_the_server_could_not_end_is_not_said_to_be_over(stack, fresh):
    fresh.sign_in(stack.tenant, stack.email, stack.password)
    fresh.driver.execute_cdp_cmd("Network.enable", {})
    fresh.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/auth/logout"]})
    fresh.press("Sign out")
    fresh.toast("you are still signed in")
    assert fresh.driver.find_elements(*FRAME)
    fresh.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    fresh.press("Sign out")
    fresh.wait(lambda d: d.find_elements(By.CSS_SELECTOR, ".sign-in"), "the session to end")
    fresh.driver.refresh()
    fresh.wait(lambda d: d.find_elements(By.CSS_SELECTOR, ".sign-in"), "nothing to be taken up")


def test_a_page_does_not_go_on_as_another_user_who_signed_in_in_another_tab(stack, fresh):
    email, password = stack.make_user("manager")
    fresh.sign_in(stack.tenant, email, password)
    fresh.go("people")
    # As another tab does it: the cookie is the browser's.
    status = fresh.driver.execute_async_script("""
        const [tenant, email, password, done] = arguments;
        fetch("/api/v1/auth/login?session=cookie", {
            method: "POST", headers: {"Content-Type": "application/json", "X-Tenant-ID": tenant}, body: JSON.stringify({email, password}),
        }).then((answer) => done(answer.status));""", stack.tenant, stack.email, stack.password)
    assert status == 200
    token = stack.log_in(email, password)
    user = next(one for one in stack.call("GET", "/users?limit=500")["data"] if one["email"] == email)
    stack.call("PATCH", f"/users/{user['id']}", {"password": password + "!"})
    fresh.wait(lambda _: requests.get(f"{stack.url}/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"}, timeout=30).status_code == 401,
               "the new password to end the sessions")
    fresh.driver.execute_script("location.hash = '#/projects'")
    fresh.see("Somebody else has signed in in another tab.", "body")


def test_the_operator_s_sign_out_ends_no_session_in_another_tab(stack, fresh):
    fresh.sign_in_as_operator(stack.operator_key)
    first = fresh.driver.current_window_handle
    fresh.driver.switch_to.new_window("tab")
    second = fresh.driver.current_window_handle
    fresh.open(stack.url)
    fresh.sign_in(stack.tenant, stack.email, stack.password)
    fresh.driver.switch_to.window(first)
    fresh.press("Sign out")
    fresh.wait(lambda d: d.find_elements(By.CSS_SELECTOR, ".sign-in"), "the operator to be signed out")
    fresh.driver.switch_to.window(second)
    fresh.go("projects")
    fresh.see("Projects", "h1")


def test_a_password_may_begin_and_end_with_a_blank(stack, fresh):
    email, password = stack.make_user("viewer")
    user = next(one for one in stack.call("GET", "/users?limit=500")["data"] if one["email"] == email)
    stack.call("PATCH", f"/users/{user['id']}", {"password": f" {password} "})
    fresh.sign_in(stack.tenant, email, f" {password} ")
    fresh.see("Board", "h1")


def test_who_may_change_users_and_see_no_roles_takes_none_away(stack, fresh):
    role = stack.call("POST", "/roles", {"name": f"clerk-{uuid.uuid4().hex[:8]}", "permissions": [{"resource": "users", "actions": ["read", "update"]}]})["data"]
    (email, password), (other, _) = stack.make_user(role["name"]), stack.make_user(role["name"])
    fresh.sign_in(stack.tenant, email, password)
    # The one page that the role opens, although there is more to administration than users.
    fresh.see("Administration", "h1")
    row = fresh.wait(lambda d: d.find_elements(By.XPATH, f"//tr[contains(., '{other}')]"), "the other user")[0]
    row.find_element(By.TAG_NAME, "button").click()
    fresh.see("Roles are not shown to you", "dialog")
    fresh.fill("name", "Renamed by a clerk")
    fresh.press("Save")
    fresh.dialog_closes()
    saved = next(one for one in stack.call("GET", "/users?limit=500")["data"] if one["email"] == other)
    assert (saved["name"], saved["roles"]) == ("Renamed by a clerk", [role["name"]])


def test_a_planner_who_may_not_read_the_settings_sees_times_in_the_tenant_s_zone(stack, fresh):
    before = stack.call("GET", "/settings")["data"]["settings"].get("timezone")
    stack.call("PATCH", "/settings", {"settings": {"timezone": "Asia/Kolkata"}})
    try:
        fresh.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Tokyo"})
        fresh.sign_in(stack.tenant, *stack.make_user("manager"))
        said = fresh.driver.execute_script("return import('/lib/format.js').then((it) => it.moment('2026-01-31T20:00:00Z'))")
        assert "Feb" in said and "1:30" in said, said
    finally:
        stack.call("PATCH", "/settings", {"settings": {"timezone": before}})


def test_who_may_read_the_audit_log_alone_is_led_to_it(stack, fresh):
    role = stack.call("POST", "/roles", {"name": f"auditor-{uuid.uuid4().hex[:8]}", "permissions": [{"resource": "audit", "actions": ["read"]}]})["data"]
    email, password = stack.make_user(role["name"])
    fresh.sign_in(stack.tenant, email, password)
    fresh.see("Administration", "h1")
    fresh.see("Audit log")
    assert fresh.text(".nav").split()[-1] == "Administration" and not fresh.driver.find_elements(By.CSS_SELECTOR, ".failure")


def test_a_session_that_ends_in_the_middle_of_a_form_loses_nothing(stack, fresh):
    email, password = stack.make_user("manager")
    fresh.sign_in(stack.tenant, email, password)
    fresh.go("people")
    fresh.press("Add somebody")
    name = f"Kept {uuid.uuid4().hex[:8]}"
    fresh.fill("name", name)
    fresh.fill("externalId", name)
    token = stack.log_in(email, password)
    user = next(one for one in stack.call("GET", "/users?limit=500")["data"] if one["email"] == email)
    stack.call("PATCH", f"/users/{user['id']}", {"password": password + "!"})
    fresh.wait(lambda _: requests.get(f"{stack.url}/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"}, timeout=30).status_code == 401,
               "the new password to end the sessions")
    fresh.press("Save")
    fresh.see("The session has ended", "dialog[data-sign-in]")
    fresh.driver.find_element(By.CSS_SELECTOR, "dialog[data-sign-in] [name=password]").send_keys(password + "!")
    fresh.press("Sign in")
    fresh.wait(lambda d: not d.find_elements(By.CSS_SELECTOR, "dialog[data-sign-in]"), "the sign-in dialog to close")
    assert fresh.driver.find_element(By.NAME, "name").get_property("value") == name
    fresh.press("Save")
    fresh.dialog_closes()
    assert name in str(stack.call("GET", f"/employees?externalId={name}"))


def test_things_are_made_over_plain_http_from_another_machine(stack):
    with browser(host="console.example") as console:
        console.open(stack.url.replace("127.0.0.1", "console.example"))
        assert console.driver.execute_script("return isSecureContext") is False
        console.sign_in(stack.tenant, stack.email, stack.password)
        name = f"Plain {uuid.uuid4().hex[:8]}"
        console.go("people")
        console.press("Add somebody")
        console.fill("name", name)
        console.fill("externalId", name)
        console.press("Save")
        console.dialog_closes()
        console.see(name, "h1")


def test_a_network_that_fails_for_ten_seconds_is_waited_for(stack, fresh):
    fresh.sign_in(stack.tenant, stack.email, stack.password)
    fresh.go("projects")
    # Pages that were not looked at yet come while nothing else is to be done.
    fresh.wait(lambda d: d.execute_script("return performance.getEntriesByType('resource').some((one) => one.name.endsWith('/pages/skills.js'))"), "the other pages")
    conditions = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    fresh.driver.execute_cdp_cmd("Network.enable", {})
    fresh.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": True, **conditions})
    since = time.monotonic()
    fresh.driver.execute_script("location.hash = '#/skills'")
    fresh.see("The server does not answer", "body")
    fresh.wait(lambda _: time.monotonic() - since > 10, "ten seconds to pass")
    fresh.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": False, **conditions})
    fresh.see("Skills and departments", "h1")
    fresh.settle()
    assert not fresh.driver.find_elements(By.CSS_SELECTOR, ".failure")
    assert not fresh.driver.find_element(By.CSS_SELECTOR, ".offline").is_displayed()


def test_a_viewer_sees_no_control_that_would_be_refused(stack):
    email, password = stack.make_user("viewer")
    person = stack.call("GET", "/employees?limit=1&isActive=true")["data"][0]["id"]
    project, model = (stack.call("GET", f"/{path}?limit=1")["data"][0]["id"] for path in ("projects", "models"))
    booking = stack.call("GET", f"/allocations?limit=1&isCompleted=false&employeeId={person}")["data"] or stack.call("GET", "/allocations?limit=1&isCompleted=false")["data"]
    allowed = {"Back", "Undo", "Views", "Earlier", "Today", "Later", "CSV", "Print", "Verify the chain", "Show more", "On the board", "Report"}
    seen = {}
    with browser() as console:
        console.open(stack.url)
        console.sign_in(stack.tenant, email, password)
        for path in ("board", "people", f"people/{person}", "projects", f"projects/{project}", "skills", "models", f"models/{model}", "reports/utilization", "reports/actual",
                     "administration/users", "administration/roles", "administration/keys", "administration/settings", "administration/audit"):
            console.go(path)
            assert not console.driver.find_elements(By.CSS_SELECTOR, ".failure"), path
            seen[path] = {one for one in console.buttons() if one not in allowed and not one.startswith(("Details of entry", "Open booking "))}
        assert {path: found for path, found in seen.items() if found} == {}
        assert "Import" not in console.text(".nav")
        console.go(f"board?booking={booking[0]['id']}")
        console.see("The booking", "dialog")
        assert [one.text for one in console.driver.find_elements(By.CSS_SELECTOR, "dialog .dialog-actions button")] == ["Close"]


def test_hostile_names_are_text_and_keep_the_layout(stack, console):
    project = stack.make_project(HOSTILE["markup"])
    mark = uuid.uuid4().hex[:8]
    people = [stack.make_person(f"{mark} {name}"[:200], hiredOn="2024-01-01") for name in HOSTILE.values()]
    for person in people:
        stack.book(person, project, startDate="2026-03-02", endDate="2026-03-06", allocationPercentage=50)
    for path in (f"people?name={mark}", f"board?text={mark}&from=2026-02-23", *(f"people/{one['id']}" for one in people), f"projects/{project['id']}"):
        console.go(path)
        assert not console.is_wider_than_window(), path
        assert not console.driver.find_elements(By.CSS_SELECTOR, "main img"), path
        assert console.driver.title != "1"
    assert HOSTILE["markup"] in console.text("h1")
    rows = console.driver.execute_script("location.hash = arguments[0]; return null", f"#/board?text={mark}&from=2026-02-23") or console
    rows.wait(lambda d: len(d.find_elements(By.CSS_SELECTOR, ".board-row")) == len(people), "the rows")
    assert {one.rect["height"] for one in console.driver.find_elements(By.CSS_SELECTOR, ".board-row")} == {48}


def test_a_name_of_five_thousand_characters_is_refused_at_its_field(console):
    console.go("people")
    console.press("Add somebody")
    field = console.driver.find_element(By.NAME, "name")
    console.driver.execute_script("arguments[0].value = 'N'.repeat(5000)", field)
    console.fill("externalId", uuid.uuid4().hex)
    console.press("Save")
    console.see("200", "dialog .field-error:not([hidden])")
    assert len(field.get_property("value")) == 5000 and not console.is_wider_than_window()
    console.press("Cancel")
    console.dialog_closes()


@pytest.mark.parametrize("attack", [
    "const s = document.createElement('script'); s.textContent = '1'; document.body.append(s)",
    "document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">')",
    "fetch('http://127.0.0.1:9/').catch(() => {})",
])
def test_a_violation_of_the_content_security_policy_is_noticed(stack, fresh, attack):
    fresh.driver.execute_script(attack)
    fresh.wait(lambda _: any("Content Security Policy" in one for one in fresh.complaints()), "the browser to complain")
