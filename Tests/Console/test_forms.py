"""Forms: what is typed is sent as it was typed or not at all, what was not touched stays, and nothing is lost without a word."""

from selenium.webdriver.common.by import By

from words import day, unique


def open_dialog(console, label):
    console.press(label)
    return console.wait(lambda d: d.find_elements(By.CSS_SELECTOR, "dialog[open]"), "the form")[0]


def value(console, name):
    return console.wait(lambda d: d.find_elements(By.CSS_SELECTOR, f"[name='{name}']"), f"the field {name}")[0].get_property("value")


def cancel(console):
    console.press("Cancel")
    console.dialog_closes()


def test_half_a_date_or_number_is_said_at_its_field_and_not_sent_as_none(stack, console):
    person, project = stack.make_person(unique("Hal Half"), hiredOn="2024-01-01"), stack.make_project(unique("Half"))
    console.go(f"people/{person['id']}")
    open_dialog(console, "Book")
    console.choose("projectId", project["name"])
    console.fill("startDate", day(0))
    console.fill("allocationPercentage", "50")
    end = console.driver.find_element(By.NAME, "endDate")
    end.click()
    end.send_keys("31")
    console.press("Book")
    console.see("is not a whole date", "dialog .field-error:not([hidden])")
    console.fill("endDate", day(4))
    console.fill("allocationPercentage", "5e")
    console.press("Book")
    console.see("is not a number", "dialog .field-error:not([hidden])")
    assert stack.call("GET", f"/allocations?employeeId={person['id']}")["data"] == []
    cancel(console)


def test_what_was_typed_is_asked_about_before_it_goes(console):
    console.go("projects")
    console.go("people")
    open_dialog(console, "Add somebody")
    console.fill("name", "Typed")
    for leave in ("document.querySelector('dialog[open]').requestClose()", "history.back()"):
        console.driver.execute_script(f"setTimeout(() => {leave}, 20)")
        console.asked("What you typed is lost", False)
        assert value(console, "name") == "Typed"
        assert console.driver.current_url.endswith("#/people")
    console.driver.execute_script("setTimeout(() => history.back(), 20)")
    console.asked("What you typed is lost", True)
    console.see("Projects", "h1")
    console.dialog_closes()


def test_a_form_in_which_nothing_was_typed_goes_without_a_question(console):
    console.go("people")
    open_dialog(console, "Add somebody")
    console.go("projects")
    console.see("Projects", "h1")
    console.dialog_closes()


def test_a_form_shows_what_is_saved_now_and_not_what_the_list_showed(stack, console):
    before, after = unique("Listed"), unique("Renamed")
    skill = stack.call("POST", "/skills", {"name": before})["data"]
    console.go("skills")
    stack.call("PATCH", f"/skills/{skill['id']}", {"name": after, "category": "Meanwhile"})
    open_dialog(console, f"Edit {before}")
    assert (value(console, "name"), value(console, "category")) == (after, "Meanwhile")
    cancel(console)


def test_skills_that_somebody_else_has_changed_meanwhile_are_not_overwritten(stack, console):
    person = stack.make_person(unique("Stella Stale"))
    path = f"/employees/{person['id']}/skills"
    stack.call("PUT", path, {"skills": [{"skill": "SQL", "level": 3}]})
    console.go(f"people/{person['id']}")
    open_dialog(console, "Edit skills")
    stack.call("PUT", path, {"skills": [{"skill": "Testing"}]})
    console.fill("skills", "SQL: 4")
    console.press("Save")
    console.see("changed", "dialog .failure")
    assert [one["skill"] for one in stack.call("GET", path)["data"]] == ["Testing"]
    assert value(console, "skills") == "SQL: 4"
    cancel(console)


def test_an_effort_stated_in_two_ways_stays_so_and_an_emptied_start_is_refused(stack, console):
    person = stack.make_person(unique("Tess Twice"), hiredOn="2024-01-01")
    booking = stack.book(person, stack.make_project(unique("Twice")), startDate=day(0), endDate=day(4), allocationPercentage=50, allocatedHours=20)
    console.go(f"people/{person['id']}")
    open_dialog(console, f"Open booking {booking['externalId']}")
    console.fill("title", "Named")
    console.press("Save")
    console.dialog_closes()
    saved = stack.call("GET", f"/allocations/{booking['id']}")["data"]
    assert (saved["title"], saved["allocationPercentage"], saved["allocatedHours"]) == ("Named", 50, 20)
    open_dialog(console, f"Open booking {booking['externalId']}")
    console.fill("startDate", "")
    console.press("Save")
    console.see("must not be null", "dialog .field-error:not([hidden])")
    assert stack.call("GET", f"/allocations/{booking['id']}")["data"]["startDate"] == day(0)
    cancel(console)


def test_a_message_stands_at_its_field_in_a_row_of_fields_too(stack, console):
    project = stack.make_project(unique("Rows"), startDate="2026-03-01", requiredSkills=["SQL"])
    console.go(f"projects/{project['id']}")
    open_dialog(console, "Edit")
    console.fill("estimatedEndDate", "2026-02-01")
    console.press("Save")
    console.see("must not be before startDate", "dialog .field-error:not([hidden])")
    cancel(console)


def test_a_skill_with_a_comma_in_its_name_stays_one_skill(stack, console):
    skill = f"{unique('Cut')}, welded"
    project = stack.make_project(unique("Comma"), requiredSkills=[skill])
    console.go(f"projects/{project['id']}")
    open_dialog(console, "Edit")
    console.fill("completionPercentage", "10")
    console.press("Save")
    console.dialog_closes()
    assert stack.call("GET", f"/projects/{project['id']}")["data"]["requiredSkills"] == [skill]
    open_dialog(console, "Edit")
    console.fill("requiredSkills", f"{skill}\nSQL")
    console.press("Save")
    console.dialog_closes()
    assert sorted(stack.call("GET", f"/projects/{project['id']}")["data"]["requiredSkills"]) == sorted([skill, "SQL"])


def test_a_question_takes_a_skill_with_a_comma_in_its_name_as_one(stack, console):
    skill = f"{unique('Bent')}, riveted"
    person, project = stack.make_person(unique("Cora Comma"), hiredOn="2024-01-01"), stack.make_project(unique("Asked"), requiredSkills=[skill])
    console.go(f"ask?person={person['id']}&project={project['id']}&hours=24")
    console.fill("requiredSkills", f"{skill}\nSQL")
    console.press("Ask and keep")
    console.see("The question is in the log")
    asked = stack.call("GET", f"/predictions?employeeId={person['id']}")["data"]
    assert [sorted(one["request"]["requiredSkills"]) for one in asked] == [sorted([skill, "SQL"])]


def test_hours_are_shown_to_the_minute(stack, console):
    person = stack.make_person(unique("Mina Minute"), hiredOn="2024-01-01", weeklyCapacityHours=38.75)
    stack.call("POST", f"/employees/{person['id']}/contracts", {"effectiveFrom": day(28), "weekdayMinutes": [465, 480, 450, 485, 445, 0, 0]})
    console.go(f"people/{person['id']}")
    console.see("38.75 h")
    console.see("Mo 7.75 h")


def test_a_setting_that_was_not_touched_stays_and_one_that_is_emptied_is_gone(stack, console):
    before = stack.call("GET", "/settings")["data"]["settings"]
    stack.call("PATCH", "/settings", {"settings": {"timezone": "Asia/Kolkata", "overbooking": None, "default_capacity": 38}})
    try:
        console.go("administration/settings")
        # What holds where nothing is set, and a zone by a name that browsers do not list.
        assert (value(console, "overbooking"), value(console, "timezone")) == ("warn", "Asia/Kolkata")
        name = unique("Company")
        console.fill("company_name", name)
        console.fill("default_capacity", "")
        console.press("Save")
        console.wait(lambda _: stack.call("GET", "/settings")["data"]["settings"].get("company_name") == name, "the settings to be saved")
        saved = stack.call("GET", "/settings")["data"]["settings"]
        assert saved["timezone"] == "Asia/Kolkata" and "overbooking" not in saved and "default_capacity" not in saved
    finally:
        stack.call("PATCH", "/settings", {"settings": {name: before.get(name) for name in ("timezone", "overbooking", "default_capacity", "company_name")}})


def test_a_role_with_a_wildcard_keeps_it_when_another_name_is_given(stack, console):
    permissions = [{"resource": "*", "actions": ["read"]}]
    role = stack.call("POST", "/roles", {"name": unique("wild").replace(" ", "-"), "permissions": permissions})["data"]
    console.go("administration/roles")
    open_dialog(console, f"Edit {role['name']}")
    console.fill("name", f"{role['name']}-anew")
    console.press("Save")
    console.dialog_closes()
    saved = stack.call("GET", f"/roles/{role['id']}")["data"]
    assert (saved["name"], saved["permissions"]) == (f"{role['name']}-anew", permissions)
    stack.call("DELETE", f"/roles/{role['id']}")


def test_a_double_click_opens_one_form(stack, console):
    skill = stack.call("POST", "/skills", {"name": unique("Twice")})["data"]
    console.go("skills")
    console.driver.execute_script("arguments[0].click(); arguments[0].click()",
                                  console.driver.find_element(By.CSS_SELECTOR, f"[aria-label='Edit {skill['name']}']"))
    console.wait(lambda d: d.find_elements(By.CSS_SELECTOR, "dialog[open]"), "the form")
    console.settle()
    assert len(console.driver.find_elements(By.CSS_SELECTOR, "dialog[open]")) == 1
    cancel(console)


def test_what_is_sent_again_after_a_lost_answer_is_done_once(stack, fresh):
    person = stack.make_person(unique("Lou Lost"), hiredOn="2024-01-01")
    fresh.sign_in(stack.tenant, stack.email, stack.password)
    fresh.go(f"people/{person['id']}")
    fresh.driver.execute_script("""
        const real = window.fetch;
        window.fetch = async (path, options) => {
            const answer = await real(path, options);
            if (options?.method !== "POST" || !path.includes("/leave") || window.isLost) return answer;
            window.isLost = true;
            return new Response(JSON.stringify({error: "The answer was lost.", code: "upstream_failed"}), {status: 502});
        };""")
    open_dialog(fresh, "Add leave")
    fresh.fill("firstDay", day(7))
    fresh.press("Save")
    fresh.see("The answer was lost.", "dialog .failure")
    fresh.press("Save")
    fresh.dialog_closes()
    assert len(stack.call("GET", f"/leave?employeeId={person['id']}")["data"]) == 1


def test_a_question_without_a_person_or_with_half_a_number_is_not_asked(console):
    console.go("ask")
    console.press("Ask and keep")
    console.see("must be chosen", ".field-error:not([hidden])")
    console.fill("plannedHours", "5e")
    console.press("Ask and keep")
    console.wait(lambda d: "is not a number" in [one.text for one in d.find_elements(By.CSS_SELECTOR, ".field-error")], "the message at the number")


def test_what_was_tried_is_what_is_imported(console, tmp_path):
    file = tmp_path / "skills.csv"
    file.write_text(f"Name;Category\n{unique('Tried')};Here\n")
    console.go("import")
    console.driver.find_element(By.ID, "file").send_keys(str(file))
    console.press("Try without changing anything")
    console.see("nothing was changed")
    apply = console.driver.find_element(By.XPATH, "//button[normalize-space()='Import the file']")
    assert apply.is_enabled()
    console.driver.find_element(By.CSS_SELECTOR, "main option[value=skip]").click()
    assert not apply.is_enabled() and "nothing was changed" not in console.text()


def test_warnings_are_said_when_leave_is_approved(stack, console):
    person = stack.make_person(unique("Ava Away"), hiredOn="2024-01-01")
    stack.book(person, stack.make_project(unique("Stays")), startDate=day(7), endDate=day(11), hoursPerDay=8)
    leave = stack.call("POST", "/leave", {"employeeId": person["id"], "firstDay": day(7), "lastDay": day(11), "status": "requested"})["data"]
    console.go(f"people/{person['id']}")
    console.press("Approve")
    console.toast("Saved. ")
    assert stack.call("GET", f"/leave/{leave['id']}")["data"]["status"] == "approved"


def test_shares_and_days_are_written_as_they_are(console):
    def given(module, expression):
        return console.driver.execute_script(f"return import('/lib/{module}.js').then((it) => {expression})")

    assert given("format", "[99.7, 100, 100.3, 0.2, 0, 50.4, 100 - 1e-9].map(it.percent)") == ["< 100 %", "100 %", "> 100 %", "> 0 %", "0 %", "50 %", "100 %"]
    # Around both changes of the clocks, and far from UTC on both sides.
    starts = given("days", """[["2026-03-29", "Europe/Berlin"], ["2026-03-30", "Europe/Berlin"], ["2026-10-25", "Europe/Berlin"], ["2026-10-26", "Europe/Berlin"],
        ["2026-01-01", "Pacific/Kiritimati"], ["2026-01-01", "America/Los_Angeles"], ["2026-01-01", "UTC"]].map((one) => it.startOf(...one))""")
    assert [one.removesuffix(":00.000Z") for one in starts] == [
        "2026-03-28T23:00", "2026-03-29T22:00", "2026-10-24T22:00", "2026-10-25T23:00", "2025-12-31T10:00", "2026-01-01T08:00", "2026-01-01T00:00"]
