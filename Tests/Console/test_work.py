"""Each page's main task, end to end."""

import datetime
import uuid

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys


def monday():
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return today - datetime.timedelta(days=today.weekday())


def day(offset):
    return (monday() + datetime.timedelta(days=offset)).isoformat()


def unique(word):
    return f"{word} {uuid.uuid4().hex[:8]}"


def bars(console, name):
    return console.wait(lambda d: d.find_elements(By.CSS_SELECTOR, f'.bar[aria-label^="{name}:"]'), f"a bar of {name}")


def test_somebody_is_booked_on_the_board_and_the_ledger_warns(stack, console):
    name, project = unique("Bea Board"), unique("Bridge")
    person, _ = stack.make_person(name, hiredOn="2024-01-01"), stack.make_project(project)
    console.go(f"board?text={name.replace(' ', '%20')}")
    console.press("Book somebody")
    console.choose("employeeId", name)
    console.choose("projectId", project)
    console.fill("startDate", day(0))
    console.fill("endDate", day(4))
    console.fill("allocationPercentage", "100")
    console.press("Book")
    console.dialog_closes()
    assert "100" in bars(console, name)[0].get_attribute("aria-label")

    # A second one on the same days is over capacity, which is said before anything is saved.
    console.press("Book somebody")
    console.choose("employeeId", name)
    console.choose("projectId", project)
    console.fill("startDate", day(0))
    console.fill("endDate", day(4))
    console.fill("allocationPercentage", "80")
    console.see("capacity", "dialog .notice")
    console.press("Cancel")
    console.dialog_closes()
    assert len(stack.call("GET", f"/allocations?employeeId={person['id']}")["data"]) == 1


def test_a_booking_is_moved_by_the_keyboard_and_the_move_is_undone(stack, console):
    person, project = stack.make_person(unique("Kim Keys"), hiredOn="2024-01-01"), stack.make_project(unique("Keel"))
    booking = stack.book(person, project, startDate=day(0), endDate=day(4), allocationPercentage=50)
    console.go(f"board?text={person['name'].replace(' ', '%20')}")
    bars(console, person["name"])[0].send_keys(Keys.ARROW_RIGHT)
    console.wait(lambda _: stack.call("GET", f"/allocations/{booking['id']}")["data"]["startDate"] == day(1), "the move to be saved")
    console.press("Undo")
    console.wait(lambda _: stack.call("GET", f"/allocations/{booking['id']}")["data"]["startDate"] == day(0), "the move to be undone")


def test_a_booking_is_dragged_to_another_person(stack, console):
    family = unique("Dragged")
    first, second = (stack.make_person(f"{family} {number}", hiredOn="2024-01-01") for number in (1, 2))
    booking = stack.book(first, stack.make_project(unique("Dock")), startDate=day(0), endDate=day(6), allocationPercentage=50)
    console.go(f"board?text={family.replace(' ', '%20')}")
    bar = bars(console, first["name"])[0]
    target = console.driver.find_element(By.CSS_SELECTOR, f'.board-row[data-person="{second["id"]}"]')
    from selenium.webdriver import ActionChains
    offset = target.rect["y"] - bar.find_element(By.XPATH, "ancestor::*[contains(@class,'board-row')]").rect["y"]
    ActionChains(console.driver).click_and_hold(bar).move_by_offset(0, offset // 2).move_by_offset(0, offset - offset // 2).pause(0.5).release().perform()
    console.wait(lambda _: stack.call("GET", f"/allocations/{booking['id']}")["data"]["employeeId"] == second["id"], "the booking to be the other person's")


def test_a_change_by_somebody_else_is_shown_and_nothing_is_lost(stack, console):
    person, project = stack.make_person(unique("Two Users"), hiredOn="2024-01-01"), stack.make_project(unique("Twin"))
    booking = stack.book(person, project, startDate=day(0), endDate=day(4), allocationPercentage=50)
    console.go(f"board?text={person['name'].replace(' ', '%20')}")
    bar = bars(console, person["name"])[0]
    stack.call("PATCH", f"/allocations/{booking['id']}", {"startDate": day(7), "endDate": day(11)})
    bar.send_keys(Keys.ARROW_RIGHT)
    console.see("Somebody else has changed this booking", "body")
    assert stack.call("GET", f"/allocations/{booking['id']}")["data"]["startDate"] == day(7)


def test_a_form_shows_the_server_s_message_at_its_field(console):
    console.go("people")
    console.press("Add somebody")
    console.fill("name", "Nobody")
    console.fill("externalId", unique("X"))
    console.fill("email", "no address")
    console.press("Save")
    console.see("must be an e-mail address", "dialog .field-error:not([hidden])")
    console.press("Cancel")
    console.dialog_closes()


def test_a_person_gets_leave(stack, console):
    person = stack.make_person(unique("Lea Leave"), hiredOn="2024-01-01")
    console.go(f"people/{person['id']}")
    console.press("Add leave")
    console.fill("firstDay", day(7))
    console.fill("lastDay", day(11))
    console.press("Save")
    console.dialog_closes()
    found = stack.call("GET", f"/leave?employeeId={person['id']}")["data"]
    assert [(one["firstDay"], one["lastDay"]) for one in found] == [(day(7), day(11))]


def test_a_question_is_answered_with_a_range_and_reasons(stack, console):
    people = stack.call("GET", "/employees?limit=1&isActive=true")["data"]
    projects = stack.call("GET", "/projects?limit=1&status=in_progress")["data"]
    console.go(f"ask?person={people[0]['id']}&project={projects[0]['id']}&hours=24")
    console.see("Estimated hours")
    console.see("Who else")
    assert console.driver.find_elements(By.CSS_SELECTOR, "main svg.chart")


def test_reports_agree_with_their_totals(console):
    console.go("reports/utilization?groupBy=department&period=total")
    console.see("All together", "tfoot")


def test_a_file_is_tried_then_imported(stack, console, tmp_path):
    name = unique("Imported skill")
    file = tmp_path / "skills.csv"
    file.write_text(f"Name;Category\n{name};Made here\n")
    console.go("import")
    console.driver.find_element(By.ID, "file").send_keys(str(file))
    console.see("Semicolon")
    console.press("Try without changing anything")
    console.see("nothing was changed")
    assert name not in str(stack.call("GET", f"/skills?name={name}"))
    console.driver.find_elements(By.CSS_SELECTOR, "main .button-primary")[-1].click()
    console.see("Applied")
    assert name in str(stack.call("GET", f"/skills?name={name}"))


def test_a_model_s_card_shows_its_candidates(stack, console):
    model = stack.call("GET", "/models?limit=1")["data"][0]
    console.go(f"models/{model['id']}")
    console.see("Candidates on the same rows")
    console.see("Mean error (h)")
