#!/usr/bin/env python3
"""Takes a picture of every page of the console into docs/screens/, light and dark, wide and narrow, and measures how soon it is usable.

    .build/console/bin/python docs/screens.py [--state DIR] [--large FOLDER] [--figures-only]

Needs what compose/test has built and installed (.build/debug, .build/console, chromium) and starts a platform with the demo company;
with --state it looks at the one that compose/up has started there. --large imports a folder of CSV files (`ermctl demo-data`) as a
further tenant and measures the board with it. Figures are printed as name=value.
"""

import argparse
import contextlib
import io
import json
import pathlib
import re
import sys
import urllib.request

from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "Tests" / "Console"), str(HERE.parent / "Tests" / "Live")]
from browser import browser  # noqa: E402
from pages import OPERATOR_PAGES, PAGES, details  # noqa: E402
from stack import Stack, Tenant  # noqa: E402

SIZES = {"wide": (1440, 900), "narrow": (390, 844)}
COLOURS = 96
KINDS = ("departments", "skills", "calendars", "holidays", "employees", "contracts", "leave", "employee_skills", "projects", "allocations", "capacity_history")
# The board is usable once its rows have their bars and nothing is waited for.
USABLE = """
    const done = arguments[arguments.length - 1];
    const look = () => {
        const board = document.querySelector(".board");
        if (board?.querySelector(".bar, .heat") && board.getAttribute("aria-busy") === "false") done(performance.now());
        else requestAnimationFrame(look);
    };
    look();"""
# Down through three hundred rows a second for three seconds; the time of every frame.
SCROLL = """
    const done = arguments[arguments.length - 1];
    const board = document.querySelector(".board");
    const frames = [];
    let last = performance.now();
    const end = last + 3000;
    const step = (now) => {
        frames.push(now - last);
        board.scrollTop += (now - last) * 14.4;
        last = now;
        if (now < end) requestAnimationFrame(step); else done(frames.slice(1));
    };
    requestAnimationFrame(step);"""


class Platform:
    """A running platform: its address, the operator's key, and requests to it."""

    def __init__(self, url, operator_key):
        self.url, self.operator_key = url, operator_key

    def call(self, method, path, token=None, body=None, content_type="application/json", **headers):
        headers = {"Content-Type": content_type, **headers, **({"Authorization": f"Bearer {token}"} if token else {})}
        request = urllib.request.Request(f"{self.url}/api/v1{path}", method=method, data=body, headers=headers)
        with urllib.request.urlopen(request, timeout=1800) as answer:
            return json.loads(answer.read())["data"]

    def log_in(self, tenant, email, password):
        body = json.dumps({"email": email, "password": password}).encode()
        token = self.call("POST", "/auth/login", body=body, **{"X-Tenant-ID": tenant})["accessToken"]
        return Tenant(id=tenant, subdomain="", email=email, password=password, access_token=token, model_id="", prediction={})

    def import_folder(self, folder):
        """A new tenant with a folder of files in the import format."""
        email, password = "admin@large.example", "correct horse battery"
        body = {"name": "Large", "subdomain": "large", "plan": "enterprise", "adminEmail": email, "adminPassword": password}
        tenant = self.log_in(self.call("POST", "/tenants", self.operator_key, json.dumps(body).encode())["id"], email, password)
        for kind in KINDS:
            self.call("POST", f"/imports?kind={kind}", tenant.access_token, (folder / f"{kind}.csv").read_bytes(), "text/csv")
        return tenant


@contextlib.contextmanager
def platform(state):
    """The platform with a tenant that holds the demo company."""
    if state:
        login = json.loads((state / "logins" / "demo.json").read_text())
        port = re.search(r"\[gateway\]=\"?(\d+)", (state / "run" / "ports").read_text()).group(1)
        found = Platform(f"http://127.0.0.1:{port}", (state / "keys" / "operator.key").read_text().strip())
        yield found, found.log_in(login["tenantId"], login["email"], login["password"])
        return
    with Stack.running(generous=True) as stack:
        yield Platform(stack.url, stack.operator_key), stack.quickstart("demo", company={})


def save(png, path):
    """With few colours: pictures of pages need no more."""
    Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def pictures(target, running, tenant):
    target.mkdir(exist_ok=True)

    def first(path):
        return running.call("GET", f"{path}{'&' if '?' in path else '?'}limit=1", tenant.access_token)[0]

    for theme in ("light", "dark"):
        for size, (width, height) in SIZES.items():
            with browser(width, height, theme) as console:
                def picture(name):
                    save(console.driver.get_screenshot_as_png(), target / f"{name}-{size}-{theme}.png")

                console.open(running.url)
                picture("sign-in")
                console.sign_in(tenant.id, tenant.email, tenant.password)
                for path in PAGES | details(first):
                    console.go(path)
                    picture(name_of(path))
                for complaint in console.complaints():
                    print(f"complaint: {complaint}")
            with browser(width, height, theme) as console:
                console.open(running.url)
                console.sign_in_as_operator(running.operator_key)
                for path in OPERATOR_PAGES:
                    console.go(path)
                    picture(path)


def name_of(path):
    """`board?zoom=month` → `board-month`; pages about one thing are called by their kind."""
    path, _, query = path.partition("?")
    parts = path.split("/")
    if parts[0] in ("people", "projects", "models", "jobs") and len(parts) > 1:
        return {"people": "person", "projects": "project", "models": "model", "jobs": "job"}[parts[0]]
    if parts[0] == "ask" and query:
        return "answer"
    return "-".join(parts + re.findall(r"(?:zoom|rows)=(\w+)", query))


def measure(running, tenant, name):
    """Bytes and time until the board is usable, with nothing in the cache and with everything in it, and frames while scrolling."""
    with browser() as console:
        console.driver.set_script_timeout(120)
        console.open(running.url)
        console.sign_in(tenant.id, tenant.email, tenant.password)
        console.driver.execute_script("location.hash = '#/board'")
        console.driver.execute_async_script(USABLE)
        for cache in ("cold", "warm"):
            console.driver.execute_cdp_cmd("Network.enable", {})
            if cache == "cold":
                console.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
            console.driver.refresh()
            print(f"console_board_usable_{name}_{cache}_ms={console.driver.execute_async_script(USABLE):.0f}", flush=True)
            if cache == "cold":
                loaded = console.driver.execute_script("""
                    return [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource").filter((one) => !one.name.includes("/api/"))]
                        .reduce((sum, one) => sum + one.transferSize, 0)""")
                print(f"console_first_view_{name}_bytes={loaded}", flush=True)
        frames = console.driver.execute_async_script(SCROLL)
        print(f"console_scroll_{name}_frames_per_s={1000 * len(frames) / sum(frames):.0f}")
        print(f"console_scroll_{name}_longest_frame_ms={max(frames):.0f}")
        print(f"console_scroll_{name}_frames_over_25_ms={sum(1 for one in frames if one > 25)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=pathlib.Path, help="where compose/up keeps the platform to look at")
    parser.add_argument("--large", type=pathlib.Path, help="a folder of CSV files of a large company")
    parser.add_argument("--figures-only", action="store_true", help="measure, take no picture")
    options = parser.parse_args()
    with platform(options.state) as (running, tenant):
        if not options.figures_only:
            pictures(HERE / "screens", running, tenant)
        measure(running, tenant, "demo")
        if options.large:
            measure(running, running.import_folder(options.large), "large")


if __name__ == "__main__":
    main()
