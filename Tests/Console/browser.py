"""A real browser on the console: Chromium without a window, what the tests and the screenshots share."""

import base64
import contextlib
import pathlib
import shutil

import axe_core_python
from selenium import webdriver
from selenium.common.exceptions import ElementClickInterceptedException, NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import alert_is_present
from selenium.webdriver.support.ui import WebDriverWait

# Seconds, far longer than anything takes on a slow machine beside other work.
WAIT = 120
AXE = (pathlib.Path(axe_core_python.__file__).parent / "axe.min.js").read_text()
# What is between two states of the page is looked at again.
PASSING = (NoSuchElementException, StaleElementReferenceException, ElementClickInterceptedException)
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}


@contextlib.contextmanager
def browser(width=1440, height=900, theme="light", downloads=None, host=None):
    """A browser whose console messages are kept; closed at the end whatever happens. Files are saved in `downloads`; `host` is
    a name for this machine."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars", "--lang=en-GB",
                     "--force-prefers-reduced-motion", f"--window-size={width},{height}"):
        options.add_argument(argument)
    if theme == "dark":
        options.add_argument("--force-dark-mode")
    if host:
        options.add_argument(f"--host-resolver-rules=MAP {host} 127.0.0.1")
    if downloads:
        options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # A question that a test leaves open is not the next one's.
    options.unhandled_prompt_behavior = "accept"
    driver = webdriver.Chrome(service=Service(shutil.which("chromedriver") or "chromedriver"), options=options)
    driver.set_script_timeout(WAIT)
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
        {"name": "prefers-color-scheme", "value": theme}, {"name": "prefers-reduced-motion", "value": "reduce"}]})
    try:
        yield Console(driver)
    finally:
        driver.quit()


class Console:
    """The console in one browser, in the words of its user."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, url, path=""):
        self.driver.get(f"{url}/{path}")
        self.wait(lambda d: d.find_elements(By.CSS_SELECTOR, ".frame, .sign-in"), "the console to begin")
        self.url = url

    def go(self, path):
        """To a page by its fragment; waits until the page has loaded."""
        self.driver.execute_script("""
            for (const part of document.querySelector("main").children) part.dataset.before = "";
            if (location.hash === arguments[0]) dispatchEvent(new HashChangeEvent("hashchange"));
            location.hash = arguments[0];""", f"#/{path}")
        self.wait(lambda d: not d.find_elements(By.CSS_SELECTOR, "main > [data-before]"), "the page before to go")
        self.settle()

    def settle(self):
        """Until nothing is being waited for."""
        self.wait(lambda d: d.execute_script("""
            return (document.documentElement.dataset.waiting ?? "0") === "0" && !document.querySelector(".loading, [aria-busy=true]")
              && new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(
                  document.documentElement.dataset.waiting === "0" && !document.querySelector(".loading, [aria-busy=true]")))))
            """), "the page to finish loading")

    def wait(self, condition, what, seconds=WAIT):
        return WebDriverWait(self.driver, seconds, 0.03, PASSING).until(condition, f"waited {seconds} s for {what}")

    def sign_in(self, tenant, email, password):
        self.fill("tenant", tenant)
        self.fill("email", email)
        self.fill("password", password)
        self.press("Sign in")
        self.wait(lambda d: d.find_elements(By.CSS_SELECTOR, ".frame"), "the sign-in to succeed")
        self.settle()

    def sign_in_as_operator(self, key):
        self.press("Platform operator")
        self.fill("key", key)
        self.press("Sign in")
        self.wait(lambda d: d.find_elements(By.CSS_SELECTOR, ".frame"), "the sign-in to succeed")
        self.settle()

    def fill(self, name, text):
        """Types into the control of that name, in the dialog if one is open."""
        control = self.wait(lambda d: next((one for one in d.find_elements(By.NAME, name) if one.is_displayed()), None), f"the field {name}")
        if control.get_attribute("type") in ("date", "time"):
            self.driver.execute_script(
                "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change', {bubbles: true}))", control, text)
            return control
        control.clear()
        control.send_keys(text)
        return control

    def choose(self, name, text):
        """Finds something in a combo box by typing, and takes the first that is found."""
        control = self.fill(name, text)
        self.wait(lambda d: [one for one in d.find_elements(By.CSS_SELECTOR, ".option") if one.is_displayed() and text in one.text], f"{text} to be offered")
        control.send_keys("\ue015\ue007")  # arrow down, enter
        self.wait(lambda d: d.execute_script("return arguments[0].getAttribute('aria-expanded') === 'false'", control), "the list to close")

    def press(self, label):
        """The button (or link) of that name that can be pressed, in the dialog where one is open."""
        def pressed(driver):
            dialogs = driver.find_elements(By.CSS_SELECTOR, "dialog[open]")
            within = dialogs[-1] if dialogs else driver.find_element(By.TAG_NAME, "body")
            for one in within.find_elements(By.CSS_SELECTOR, "button:enabled, a.button, .nav a, .tabs a"):
                if one.is_displayed() and label in (one.text.strip(), one.get_attribute("aria-label")):
                    one.click()
                    return True
            return False
        self.wait(pressed, f"a button {label}")

    def text(self, selector="main"):
        return self.driver.find_element(By.CSS_SELECTOR, selector).text

    def see(self, text, selector="main"):
        self.wait(lambda d: text in d.find_element(By.CSS_SELECTOR, selector).text, f"“{text}” to be seen")

    def buttons(self):
        return {(one.text.strip() or one.get_attribute("aria-label")) for one in self.driver.find_elements(By.CSS_SELECTOR, "main button, main a.button") if one.is_displayed()}

    def toast(self, text):
        """A message that goes by itself, taken away once it is seen."""
        self.wait(lambda d: any(text in one.text for one in d.find_elements(By.CSS_SELECTOR, ".toast")), f"the message “{text}”")

    def asked(self, text, answer):
        """A question in a window of the browser's own, answered with yes or no."""
        self.wait(alert_is_present(), f"the question “{text}”")
        alert = self.driver.switch_to.alert
        assert text in alert.text
        alert.accept() if answer else alert.dismiss()

    def dialog_closes(self):
        self.wait(lambda d: not d.find_elements(By.CSS_SELECTOR, "dialog[open]"), "the dialog to close")
        self.settle()

    def complaints(self):
        """What the browser complained of: script errors and violations of the content security policy."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] == "SEVERE" and "the server responded with a status of" not in entry["message"]]

    def accessibility_faults(self):
        """What axe finds on the page as it stands."""
        self.driver.execute_script(AXE)
        found = self.driver.execute_async_script(
            "const done = arguments[1]; axe.run(document, {preload: false, resultTypes: ['violations'], runOnly: arguments[0]})"
            ".then((all) => done(all.violations), (error) => done([{id: 'axe', help: String(error), nodes: [{html: ''}]}]))", RULES)
        return [f"{one['id']}: {one['help']}: {node['html'][:160]}" for one in found for node in one["nodes"]]

    def is_wider_than_window(self):
        return self.driver.execute_script("return document.documentElement.scrollWidth > innerWidth + 1")

    def paper(self):
        """The page as a PDF, as printing it on A4 gives it."""
        printed = self.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True, "paperWidth": 8.27, "paperHeight": 11.69, "preferCSSPageSize": True})
        return base64.b64decode(printed["data"])

    def picture(self, path):
        self.driver.save_screenshot(str(path))
