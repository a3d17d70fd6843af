#!/usr/bin/env python3
"""Takes a picture of every page of the console, light and dark, wide and narrow, into docs/screens/, and measures how soon it is usable.

    .build/console/bin/python docs/screens.py

Needs what compose/test has built and installed (.build/debug, .build/console, chromium).
"""

import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "Tests" / "Console"), str(HERE.parent / "Tests" / "Live")]
from browser import browser  # noqa: E402
from pages import PAGES  # noqa: E402
from stack import Stack  # noqa: E402

SIZES = {"wide": (1440, 900), "narrow": (390, 844)}


def main():
    target = HERE / "screens"
    target.mkdir(exist_ok=True)
    with Stack.running(generous=True) as stack:
        tenant = stack.quickstart("demo")
        pages = {path.replace("/", "-"): path for path in PAGES} | more_pages(stack, tenant)
        for theme in ("light", "dark"):
            for size, (width, height) in SIZES.items():
                with browser(width, height, theme) as console:
                    console.open(stack.url)
                    console.picture(target / f"sign-in-{size}-{theme}.png")
                    console.sign_in(tenant.id, tenant.email, tenant.password)
                    for name, path in pages.items():
                        console.go(path)
                        console.picture(target / f"{name}-{size}-{theme}.png")
                    for complaint in console.complaints():
                        print(f"complaint: {complaint}")
        measure(stack, tenant)


def more_pages(stack, tenant):
    """A person, a project, a model and an answered question."""
    import json

    def first(path):
        return json.loads(stack.get(f"/api/v1{path}", tenant.access_token)[2])["data"][0]["id"]

    person, project = first("/employees?limit=1&isActive=true"), first("/projects?limit=1&status=in_progress")
    return {
        "person": f"people/{person}", "project": f"projects/{project}", "model": f"models/{tenant.model_id}",
        "ask": f"ask?person={person}&project={project}&hours=24", "heat-map": "board?zoom=month",
    }


def measure(stack, tenant):
    """Bytes and milliseconds until the board shows people, with nothing in the cache and with everything in it."""
    with browser() as console:
        console.driver.execute_cdp_cmd("Network.enable", {})
        console.open(stack.url)
        console.sign_in(tenant.id, tenant.email, tenant.password)
        console.go("board")
        loaded = console.driver.execute_script(
            "return performance.getEntriesByType('resource').filter(e => !e.name.includes('/api/')).reduce((s, e) => s + e.encodedBodySize, 0)")
        print(f"console_bytes_first_view={loaded}")
        for run in ("first", "warm"):
            start = time.monotonic()
            console.driver.refresh()
            console.wait(lambda d: d.find_elements("css selector", ".board-row"), "the board's rows")
            print(f"console_board_usable_{run}_ms={(time.monotonic() - start) * 1000:.0f}")


if __name__ == "__main__":
    main()
