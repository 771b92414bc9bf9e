"""The registers of the course, each with one reader: lessons, assets, ledger, glossary, measurements.

Nothing else opens `notebooks/plan.toml`, `data_scripts/sources.toml`, `book/ledger.yml`, `book/glossary.yml`
or a file of `book/measurements` (course.py reads the two TOML files as well, because it must run before
anything is installed; a test holds it to what is read here).
"""

from course_lib.registers.assets import Asset, AssetFile, assets_named, read_assets
from course_lib.registers.errors import RegisterError
from course_lib.registers.glossary import Term, read_glossary
from course_lib.registers.ledger import Entry, Ledger, Record, Word, read_ledger
from course_lib.registers.lessons import Lesson, pick_lessons, read_lessons
from course_lib.registers.measurements import Measurement, read_measurement, read_measurements

__all__ = [
    "Asset",
    "AssetFile",
    "Entry",
    "Ledger",
    "Lesson",
    "Measurement",
    "Record",
    "RegisterError",
    "Term",
    "Word",
    "assets_named",
    "pick_lessons",
    "read_assets",
    "read_glossary",
    "read_ledger",
    "read_lessons",
    "read_measurement",
    "read_measurements",
]
