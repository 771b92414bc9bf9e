"""Where the registers lie: the folder of the course, two above this package."""

from pathlib import Path

COURSE = Path(__file__).resolve().parents[2]
