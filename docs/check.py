"""Checks the documents against the repository: links lead somewhere, and the tests that security.md names exist."""

import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
pages = [root / "README.md", root / "CONTRIBUTING.md", root / "SECURITY.md", *sorted((root / "docs").glob("*.md"))]
faults: list[str] = []


def anchors(page: pathlib.Path) -> set[str]:
    """The anchors that a page's headings have on the usual forges."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", title.replace("`", "").lower()).replace(" ", "-") for title in titles}


for page in pages:
    text = re.sub(r"^    .*$|^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        if not linked.exists():
            faults.append(f"{page.relative_to(root)}: there is no {target}")
        elif anchor and linked.suffix == ".md" and anchor not in anchors(linked):
            faults.append(f"{page.relative_to(root)}: {linked.name} has no heading #{anchor}")

named = re.findall(r"^- `([\w/]+)`: (.+)$", (root / "docs/security.md").read_text(), re.M)
if not named:
    faults.append("docs/security.md: names no tests")
for file, name in named:
    source = root / "Tests" / f"{file}.swift"
    if not source.exists():
        faults.append(f"docs/security.md: there is no Tests/{file}.swift")
    elif f'"{name}"' not in source.read_text():
        faults.append(f"docs/security.md: Tests/{file}.swift has no test \"{name}\"")

# The sources cite headings of the pages by their anchors.
headings = {page.name: anchors(page) for page in pages}
for source in [*root.glob("Services/**/*.swift"), *root.glob("Shared/**/*.swift"), *root.glob("compose/*")]:
    if source.is_file():
        for page, anchor in re.findall(r"docs/([\w-]+\.md)#([\w-]+)", source.read_text()):
            if anchor not in headings.get(page, set()):
                faults.append(f"{source.relative_to(root)}: docs/{page} has no heading #{anchor}")

print("\n".join(faults))
sys.exit(1 if faults else 0)
