"""The documentation stays true: what it shows is parsed and compared."""

import re
from pathlib import Path

import pytest

from selfheal.contract import parse_contract
from selfheal.contract.model import FileSection, Policy

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_documented_contract_parses_and_shows_the_defaults():
    """Every value under [file] and [policy] in docs/contract.md is the default that it claims to be, none left out."""
    (block,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "contract.md").read_text(encoding="utf-8"), re.DOTALL)
    assert parse_contract(block).policy == Policy()
    assert parse_contract(block).file == FileSection()
    for name in FileSection.model_fields:
        assert re.search(rf"^(# )?{name} = ", block, re.MULTILINE), name
    for section in Policy.model_fields:
        for name in getattr(Policy(), section).model_dump():
            assert re.search(rf"^{name} = ", block, re.MULTILINE), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path):
    """Every relative link of a page names a file of the project."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_readme_names_every_make_target_it_uses():
    """A `make` command that the README shows exists."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    shown = set(re.findall(r"^make ([a-z-]+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert shown
    assert shown <= targets


def test_the_index_of_decisions_is_whole():
    """One line an entry, in their order: in force, or what superseded it, which is a later entry."""
    page = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
    entries = re.findall(r"^## (\S+) · (.*)$", page, re.MULTILINE)
    index = re.findall(r"^\| (\d{4}-\d\d-\d\d) \| \[(.*)\]\(#(.*)\) \| (.*) \|$", page, re.MULTILINE)
    assert [(day, title) for day, title, _, _ in index] == entries
    titles = [title for _, title in entries]
    for position, (day, title, anchor, state) in enumerate(index):
        assert anchor == re.sub(r"[^\w -]", "", f"{day} · {title}".lower()).replace(" ", "-")
        said = re.fullmatch(r"in force|(?:in force; .*: )?superseded by “(.*)”", state)
        assert said, state
        assert said[1] is None or said[1] in titles[position + 1 :], state
