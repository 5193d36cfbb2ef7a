"""Every link of the pages leads somewhere: files that are there, headings that are there, all pages listed."""

import re

import pytest

PAGES = (
    "README.md",
    "docs/README.md",
    "docs/declaring.md",
    "docs/rules.md",
    "docs/sources.md",
    "docs/tables.md",
    "docs/databases.md",
    "docs/discrepancies.md",
    "docs/operating.md",
    "docs/readiness.md",
)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors_of(parts):
    """Headings as GitHub makes anchors of them."""
    headings = [part.text for part in parts if part.kind == "heading"]
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES)
def test_links_lead_somewhere(page, root, path):
    shown = [part.text for part in page(path) if part.kind in ("prose", "table")]
    links = [link for text in shown for link in LINK.findall(text) if "://" not in link]
    broken = []
    for link in links:
        file, _, anchor = link.partition("#")
        target = (root / path).parent / file if file else root / path
        if not target.is_file() or (anchor and anchor not in anchors_of(page(target.relative_to(root)))):
            broken.append(link)

    assert broken == []


def test_every_page_is_listed(page, root):
    listed = {
        link for part in page("docs/README.md") for row in part.rows for link in LINK.findall(" ".join(row.values()))
    }

    assert listed == {path.name for path in (root / "docs").glob("*.md")} - {"README.md"}
