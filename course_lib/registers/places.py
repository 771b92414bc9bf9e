"""Where the registers lie: in the folder of the course, two above this package."""

from pathlib import Path

COURSE = Path(__file__).resolve().parents[2]
EXERCISES = COURSE / "notebooks" / "exercises"
"""What is asked in each lesson. A test that makes a small course puts its own folder here."""
