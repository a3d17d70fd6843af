"""The operator's pages: what is well, what is not and why, and what waits."""

import signal

from selenium.webdriver.common.by import By

from words import unique


def row(console, path):
    """The text of a row, which the page draws anew now and then."""
    return console.wait(lambda d: d.find_element(By.XPATH, path).text, f"the row {path}")


def node_row(console, service):
    return row(console, f"//*[@aria-label='Nodes']//tbody/tr[starts-with(normalize-space(th), '{service}')]")


def test_every_service_is_told_and_one_that_is_gone_is_named_until_it_is_back(stack, fresh):
    fresh.sign_in_as_operator(stack.operator_key)
    fresh.press("Health")
    fresh.see("Every node is ready")
    for service in ("gateway", "tenant-admin", "ml-training", "ml-prediction"):
        assert "database" in node_row(fresh, service), service
    assert "just now" in node_row(fresh, "gateway") or "ago" in node_row(fresh, "gateway")
    assert fresh.accessibility_faults() == []

    stack.processes.stop("ml-training", signal.SIGKILL)
    try:
        def is_named(_):
            fresh.press("Look again")
            fresh.settle()
            return "Not well: ml-training" in fresh.text()
        fresh.wait(is_named, "the service to be named")
        assert "does not say" in node_row(fresh, "ml-training")
        assert fresh.accessibility_faults() == []
    finally:
        stack.processes.start("ml-training")
    fresh.wait(lambda _: fresh.press("Look again") or "Every node is ready" in fresh.text(), "all to be well again")


def test_messages_that_wait_are_counted_without_saying_to_whom(stack, fresh):
    stack.call("POST", "/invitations", {"email": f"{unique('wait').replace(' ', '-')}@demo.example", "name": "Wait", "roles": ["viewer"]})
    fresh.sign_in_as_operator(stack.operator_key)
    fresh.go("health")
    fresh.see("Invitations")
    invitations = row(fresh, "//tr[contains(., 'Invitations')]")
    assert any(word.isdigit() and int(word) > 0 for word in invitations.split()), invitations
    assert "demo.example" not in fresh.text()
    assert "Audit notes" in fresh.text() and "Training jobs" in fresh.text() and "Tenants to migrate" in fresh.text()


def test_a_tenant_s_user_is_refused_the_operator_s_pages(console):
    console.go("health")
    console.wait(lambda d: d.find_elements(By.CSS_SELECTOR, "main .failure"), "the refusal")
