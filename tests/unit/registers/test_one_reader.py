"""Nothing but the registers and the launcher opens a register, and the two read the same."""

import re
from pathlib import Path

import course
from course_lib.registers import read_assets

ROOT = Path(__file__).resolve().parents[3]
REGISTERS = re.compile(r"plan\.toml|sources\.toml|ledger\.yml|glossary\.yml|\bmeasurements\b.*\.json")
OPENS = re.compile(r"read_text|read_bytes|safe_load|tomllib\.|json\.load|\bopen\(")
MAY = {"course.py"}


def offences(text):
    """Lines of a module that name a register, where the module also opens files in that neighbourhood."""
    lines = text.splitlines()
    return [
        line.strip()
        for number, line in enumerate(lines)
        if REGISTERS.search(line)
        and not line.lstrip().startswith(("#", '"""', "raise"))
        and OPENS.search("\n".join(lines[max(0, number - 1) : number + 3]))
    ]


def test_only_the_registers_open_a_register():
    for folder in ("course_lib", "data_scripts", "book", "notebooks"):
        for path in (ROOT / folder).rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith("course_lib/registers/") and name not in MAY:
                assert offences(path.read_text(encoding="utf-8")) == [], name


def test_a_second_reader_would_be_seen():
    assert offences('plan = tomllib.loads((folder / "plan.toml").read_text(encoding="utf-8"))')
    assert offences('path = BOOK / "glossary.yml"\nterms = yaml.safe_load(path.read_text())')
    assert not offences('raise CourseError("notebooks/plan.toml: the row is not complete")')


def test_the_launcher_reads_what_the_registers_read():
    assets = read_assets()
    assert list(course.read_toml(course.SOURCES)) == list(assets)
    for use in ("tests", "benchmark mind"):
        assert course.assets_for(use) == [name for name, asset in assets.items() if use in asset.needed_by]
