"""What can be fetched, and which lesson needs which asset: both from the registers."""

from pathlib import Path

from course_lib.registers import Asset, AssetFile, read_assets, read_lessons
from course_lib.registers.lessons import PLAN

__all__ = ["Asset", "AssetFile", "chapter_needs", "read_assets"]


def chapter_needs(path: Path = PLAN) -> dict[str, list[str]]:
    """The assets that each lesson of plan.toml needs, by its key such as "02_cosine".

    Empty where there is no plan.
    """
    return {key: list(lesson.needs) for key, lesson in read_lessons(path).items()} if path.is_file() else {}
