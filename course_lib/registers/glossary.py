"""`book/glossary.yml`: the terms of the course in English and Chinese, by subject."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from course_lib.registers.errors import RegisterError
from course_lib.registers.places import COURSE

GLOSSARY = COURSE / "book" / "glossary.yml"


@dataclass(frozen=True)
class Term:
    """One term: its name and meaning in both languages, and the key of the chapter that teaches it."""

    group: str
    group_zh: str
    en: str
    zh: str
    chapter: str
    means: str
    means_zh: str

    @property
    def slug(self) -> str:
        """The term's anchor on the glossary page, without its prefix: `candidate-retrieval-recall-stage`."""
        return re.sub(r"[^a-z0-9]+", "-", self.en.lower()).strip("-")


def read_glossary(path: Path = GLOSSARY) -> list[Term]:
    """All terms, group by group. Raises `RegisterError` for a term that lacks a field or stands twice."""
    import yaml  # here, because the launcher reads the plan before anything is installed

    terms: dict[str, Term] = {}
    for group in yaml.safe_load(path.read_text(encoding="utf-8")):
        for row in group["terms"]:
            try:
                term = Term(group=group["group"], group_zh=group["group_zh"], **row)
            except (TypeError, KeyError) as error:
                name = row.get("en", "a term")
                raise RegisterError(f"{path.name}: {name!r} is not complete: {error}.") from None
            if term.slug in terms:
                raise RegisterError(f"{path.name}: {term.en!r} stands twice; keep one.")
            terms[term.slug] = term
    return list(terms.values())
