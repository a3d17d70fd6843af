"""The board: booking, moving, resizing, copying and cancelling, by pointer and by keyboard, with undo, warnings and conflicts."""

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from words import day, unique


def bars(console, name):
    return console.wait(lambda d: d.find_elements(By.CSS_SELECTOR, f'.bar[aria-label^="{name}: "]'), f"a bar of {name}")


def row(console, thing):
    return console.driver.find_element(By.CSS_SELECTOR, f'.board-row[data-row="{thing["id"]}"]')


def look_at(console, text, more=""):
    console.go(f"board?text={text.replace(' ', '%20')}{more}")


class Scene:
    """A person, a project and a booking from Monday to Friday of this week, with the board open at them."""

    def __init__(self, stack, console, **effort):
        self.stack, self.console = stack, console
        self.person = stack.make_person(unique("Kim Kindly"), hiredOn="2024-01-01")
        self.project = stack.make_project(unique("Keel"))
        self.booking = stack.book(self.person, self.project, startDate=day(0), endDate=day(4), **(effort or {"allocationPercentage": 50}))
        look_at(console, self.person["name"])

    def bar(self):
        return bars(self.console, self.person["name"])[0]

    def saved(self):
        return self.stack.call("GET", f"/allocations/{self.booking['id']}")["data"]

    def becomes(self, what, **fields):
        self.console.wait(lambda _: {key: self.saved()[key] for key in fields} == fields, what)

    def all(self):
        return self.stack.call("GET", f"/allocations?employeeId={self.person['id']}&isCancelled=false")["data"]


@pytest.fixture
def scene(stack, console):
    return Scene(stack, console)


def test_somebody_is_booked_and_the_ledger_warns_before_anything_is_saved(stack, console):
    name, project = unique("Bea Board"), unique("Bridge")
    person, _ = stack.make_person(name, hiredOn="2024-01-01"), stack.make_project(project)
    look_at(console, name)

    def fill(percent):
        console.press("Book somebody")
        console.choose("employeeId", name)
        console.choose("projectId", project)
        console.fill("startDate", day(0))
        console.fill("endDate", day(4))
        console.fill("allocationPercentage", percent)

    fill("100")
    console.press("Book")
    console.dialog_closes()
    assert "100" in bars(console, name)[0].get_attribute("aria-label")

    fill("80" + Keys.TAB)
    console.see("more than the person has", "dialog .notice")
    console.press("Cancel")
    console.dialog_closes()
    assert len(stack.call("GET", f"/allocations?employeeId={person['id']}")["data"]) == 1


def test_a_booking_is_moved_and_resized_by_the_keyboard_and_both_are_undone_and_redone(scene):
    scene.bar().send_keys(Keys.ARROW_RIGHT)
    scene.becomes("the move to be saved", startDate=day(1), endDate=day(5))
    scene.console.settle()
    scene.bar().send_keys(Keys.SHIFT, Keys.ARROW_RIGHT)
    scene.becomes("the longer end to be saved", startDate=day(1), endDate=day(6))
    scene.console.press("Undo")
    scene.becomes("the end to be undone", endDate=day(5))
    scene.console.press("Undo")
    scene.becomes("the move to be undone", startDate=day(0), endDate=day(4))
    scene.console.settle()
    scene.bar().send_keys(Keys.ENTER)
    scene.console.wait(lambda d: d.find_elements(By.CSS_SELECTOR, "dialog summary"), "the booking")[0].click()
    scene.console.wait(lambda d: len(d.find_elements(By.CSS_SELECTOR, "dialog tbody tr")) == 5, "a version for each change")
    scene.console.press("Cancel")
    scene.console.dialog_closes()
    scene.console.press("Redo")
    scene.becomes("the move to be done again", startDate=day(1), endDate=day(5))


def test_a_booking_is_copied_and_cancelled_by_the_keyboard(scene):
    scene.bar().send_keys("c")
    scene.console.wait(lambda _: len(scene.all()) == 2, "the copy to be saved")
    assert {one["startDate"] for one in scene.all()} == {day(0), day(7)}
    scene.console.settle()
    scene.bar().send_keys(Keys.DELETE)
    scene.console.wait(lambda _: len(scene.all()) == 1, "one to be cancelled")
    scene.console.settle()
    scene.console.press("Undo")
    scene.console.wait(lambda _: len(scene.all()) == 2, "the cancelled one to come back")


def test_a_booking_is_dragged_to_another_person(stack, console):
    family = unique("Dragged")
    first, second = (stack.make_person(f"{family} {number}", hiredOn="2024-01-01") for number in (1, 2))
    booking = stack.book(first, stack.make_project(unique("Dock")), startDate=day(0), endDate=day(6), allocationPercentage=50)
    look_at(console, family)
    bar = bars(console, first["name"])[0]
    offset = row(console, second).rect["y"] - row(console, first).rect["y"]
    ActionChains(console.driver).click_and_hold(bar).move_by_offset(0, offset // 2).move_by_offset(0, offset - offset // 2).perform()
    console.see(second["name"], ".drag-note")
    ActionChains(console.driver).release().perform()
    console.wait(lambda _: stack.call("GET", f"/allocations/{booking['id']}")["data"]["employeeId"] == second["id"], "the booking to be the other person's")
    bars(console, second["name"])


def test_an_end_is_dragged_and_escape_lets_go(stack, console):
    scene = Scene(stack, console)
    bar = scene.bar()
    grip = bar.find_element(By.CSS_SELECTOR, ".grip-end")
    ActionChains(console.driver).click_and_hold(grip).move_by_offset(13, 0).move_by_offset(13, 0).perform()
    console.wait(lambda d: not d.find_element(By.CSS_SELECTOR, ".drag-note").get_property("hidden"), "the note of the drag")
    ActionChains(console.driver).send_keys(Keys.ESCAPE).release().perform()
    assert scene.saved()["endDate"] == day(4)
    grip = scene.bar().find_element(By.CSS_SELECTOR, ".grip-end")
    ActionChains(console.driver).click_and_hold(grip).move_by_offset(13, 0).move_by_offset(13, 0).release().perform()
    scene.becomes("the later end to be saved", startDate=day(0), endDate=day(6))


def test_warnings_are_shown_before_the_drop(stack, console):
    scene = Scene(stack, console, allocationPercentage=80)
    stack.book(scene.person, stack.make_project(unique("Full")), startDate=day(7), endDate=day(11), allocationPercentage=80)
    look_at(console, scene.person["name"])
    bar = bars(console, scene.person["name"])[0]
    ActionChains(console.driver).click_and_hold(bar).move_by_offset(45, 0).move_by_offset(46, 0).perform()
    console.see("more than the person has", ".drag-note")
    assert scene.saved()["startDate"] == day(0)
    ActionChains(console.driver).send_keys(Keys.ESCAPE).release().perform()
    assert scene.saved()["startDate"] == day(0)


def test_a_change_by_somebody_else_is_shown_and_nothing_is_lost(scene):
    scene.stack.call("PATCH", f"/allocations/{scene.booking['id']}", {"startDate": day(7), "endDate": day(11)})
    scene.bar().send_keys(Keys.ARROW_RIGHT)
    scene.console.toast("Somebody else has changed this booking")
    assert (scene.saved()["startDate"], scene.saved()["endDate"]) == (day(7), day(11))


def test_an_undo_does_not_overwrite_what_somebody_else_has_changed(scene):
    scene.bar().send_keys(Keys.ARROW_RIGHT)
    scene.becomes("the move to be saved", startDate=day(1))
    scene.console.settle()
    scene.stack.call("PATCH", f"/allocations/{scene.booking['id']}", {"allocationPercentage": 70})
    scene.console.press("Undo")
    scene.console.toast("Somebody else has changed this booking")
    assert (scene.saved()["startDate"], scene.saved()["allocationPercentage"]) == (day(1), 70)


def test_a_form_that_somebody_else_has_overtaken_keeps_what_was_typed(scene):
    scene.bar().send_keys(Keys.ENTER)
    scene.console.fill("allocationPercentage", "60")
    scene.stack.call("PATCH", f"/allocations/{scene.booking['id']}", {"allocationPercentage": 70})
    scene.console.press("Save")
    scene.console.see("changed", "dialog .failure")
    assert scene.console.driver.find_element(By.NAME, "allocationPercentage").get_property("value") == "60"
    assert scene.saved()["allocationPercentage"] == 70
    scene.console.press("Cancel")
    scene.console.dialog_closes()


def test_a_row_is_as_high_as_its_bookings_need(scene):
    for _ in range(4):
        scene.stack.book(scene.person, scene.project, startDate=day(0), endDate=day(4), allocationPercentage=10)
    look_at(scene.console, scene.person["name"])
    scene.console.wait(lambda _: len(bars(scene.console, scene.person["name"])) == 5, "five bars")
    boxes = [one.rect for one in bars(scene.console, scene.person["name"])]
    edges = sorted((box["y"], box["y"] + box["height"]) for box in boxes)
    assert all(box["height"] >= 16 for box in boxes)
    assert all(lower <= upper for (_, lower), (upper, _) in zip(edges, edges[1:]))
    outer = row(scene.console, scene.person).rect
    assert outer["y"] <= edges[0][0] and edges[-1][1] <= outer["y"] + outer["height"]


def test_projects_stand_in_rows_with_the_people_on_their_bars(scene):
    look_at(scene.console, scene.project["name"], "&rows=projects")
    bar = bars(scene.console, scene.project["name"])[0]
    assert scene.person["name"] in bar.get_attribute("aria-label")


def test_a_view_is_saved_and_an_address_opens_a_booking(scene):
    console = scene.console
    console.press("Views")
    console.fill("view", "Mine")
    console.press("Save the view")
    console.dialog_closes()
    console.go("board?zoom=month")
    console.press("Views")
    console.driver.find_element(By.LINK_TEXT, "Mine").click()
    console.dialog_closes()
    scene.bar()
    console.go(f"board?booking={scene.booking['id']}")
    console.see("Edit the booking", "dialog")
    console.press("Cancel")
    console.dialog_closes()
    assert "booking=" not in console.driver.current_url
