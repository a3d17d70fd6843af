"""Checks the documents against the repository, and the words of the sources.

Links lead somewhere; the tests that security.md and recipes.md name exist; comments, log messages, problem texts and test names
name their nouns; log lines take errors through LogText, which keeps personal data out."""

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

tests = {str(path.relative_to(root / "Tests").with_suffix("")): path for path in root.glob("Tests/**/*.swift")}
for page in ("docs/security.md", "docs/recipes.md"):
    # `Target/Suite`, with the name of a test behind it (: name) where one is meant.
    named = re.findall(r"`(\w+Tests/[\w/]+)`(?:: (.+)$)?", (root / page).read_text(), re.M)
    if not named:
        faults.append(f"{page}: names no tests")
    for file, name in named:
        if file not in tests:
            faults.append(f"{page}: there is no Tests/{file}.swift")
        elif name and f'"{name}"' not in tests[file].read_text():
            faults.append(f'{page}: Tests/{file}.swift has no test "{name}"')

# The sources cite headings of the pages by their anchors.
headings = {page.name: anchors(page) for page in pages}
for source in [*root.glob("Services/**/*.swift"), *root.glob("Shared/**/*.swift"), *root.glob("compose/*")]:
    if source.is_file():
        for page, anchor in re.findall(r"docs/([\w-]+\.md)#([\w-]+)", source.read_text()):
            if anchor not in headings.get(page, set()):
                faults.append(f"{source.relative_to(root)}: docs/{page} has no heading #{anchor}")

# Words that leave the reader to find the noun: a user is no "he", and a follower reads a change feed.
unclear = re.compile(r"\b(he|him|his|heard of|whoever)\b", re.I)
literal = re.compile(r'"((?:[^"\\]|\\.)*)"')
logged = re.compile(r'LogKey\.error: *(?:\.string\()?("\\\((?:error|String\(reflecting: error\))\)"|String\(reflecting: error\))')


def words(source: pathlib.Path, text: str):
    """The lines of a source that people read: comments and texts; of a test its name alone."""
    if source.is_relative_to(root / "Tests"):
        for match in re.finditer(r'@(?:Test|Suite)\(\s*"((?:[^"\\]|\\.)*)"', text):
            yield text.count("\n", 0, match.start(1)) + 1, match[1]
        return
    for number, line in enumerate(text.splitlines(), 1):
        comment = re.search(r"(?:^|\s)//+ (.*)$", line)
        if comment:
            yield number, comment[1]
        for match in literal.finditer(line[: comment.start()] if comment else line):
            yield number, re.sub(r"\\\(.*", "", match[1])


for source in [*root.glob("Services/**/*.swift"), *root.glob("Shared/**/*.swift"), *tests.values()]:
    text, path = source.read_text(), source.relative_to(root)
    for number, line in words(source, text):
        if found := unclear.search(line):
            faults.append(f'{path}:{number}: "{found[0]}" leaves its noun out: {line}')
    if path.parts[0] == "Services" or path.parts[:2] in (("Shared", "ServiceKit"), ("Shared", "ServiceStorage")):
        for match in logged.finditer(text):
            number = text.count("\n", 0, match.start()) + 1
            faults.append(f"{path}:{number}: an error in a log line is LogText.of(error): {match[0]}")

print("\n".join(faults))
sys.exit(1 if faults else 0)
