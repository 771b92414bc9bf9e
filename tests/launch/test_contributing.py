"""CONTRIBUTING.md names places and commands that exist."""

import re
from pathlib import Path

import course
from notebooks.make.__main__ import _parser

ROOT = Path(course.__file__).parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MADE_BY_COMMANDS = ("work/", "build/", ".venv/bin/python")


def test_every_place_exists():
    named = re.findall(r"`([\w./-]+(?:/|\.(?:py|ipynb|toml|yml|json|md)))`", TEXT)
    places = [name for name in named if name not in MADE_BY_COMMANDS]
    assert len(places) > 10
    for place in places:
        as_pattern = re.sub(r"NN_key|NN", "[0-9][0-9]*", place)
        assert [*ROOT.glob(as_pattern)], f"CONTRIBUTING.md names {place}"


def test_every_command_exists():
    typed = set(re.findall(r"python course\.py (\w+)", TEXT))
    assert {"check", "preview", "execute", "test"} <= typed <= course.COMMANDS.keys()
    (there,) = (action for action in _parser()._actions if action.choices)
    made = re.findall(r"-m notebooks\.make\s+(\w+)", TEXT)
    assert made
    assert set(made) <= there.choices.keys()


def test_every_command_for_whoever_edits_has_its_seconds():
    for command in ("check", "preview", "execute"):
        assert re.search(rf"\| `python course\.py {command}.*?` \| \d+ \|", TEXT), command
