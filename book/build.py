"""Build the book: make a source tree, run Sphinx over it, add MathJax and the two search indexes."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from html import escape
from importlib.util import find_spec
from pathlib import Path

from sphinx.cmd.build import main as sphinx_build

from book import pages
from book.ledger import ledger_of, lesson_notebooks, stale_lessons, verdict_outputs
from book.measured import measured_page
from course_lib.registers import Ledger, read_assets, read_lessons
from course_lib.registers.ledger import VERDICT_MIME

BOOK = Path(__file__).resolve().parent
# What pages load (conf.py), fonts, and what a formula may ask for: an extension of TeX.
MATHJAX_PARTS = (
    "startup.js",
    "core.js",
    "input/tex.js",
    "input/tex/extensions",
    "output/chtml.js",
    "output/chtml",
    "a11y/assistive-mml.js",
)
# Two indexes over the same pages: English words are stemmed, Chinese text is cut into words.
# search.js asks the one that fits the query.
SEARCH_INDEXES = {"en": "pagefind", "zh": "pagefind-zh"}

# Code and columns of numbers are no answer to a question; what a reader reads is.
NOT_SEARCHED = ".headerlink, .math, .ledger-filter, .ledger-wall, pre, .cell_input, .cell_output table"

# The head of an exercise as chapters write it: its number in bold, before its text.
EXERCISE = re.compile(r"^\*\*(\d\d[a-z]?\.\d+)\*\*\s+", re.MULTILINE)
# An id of the ledger in running text, but not in code, in a link or as part of a longer word.
LEDGER_ID = re.compile(r"(?<![\w`\[/#-])D[1-5]-\d\d(?![\w`\]-])")
# A paper's number at arXiv, as chapters cite it.
ARXIV = re.compile(r"\barXiv:(\d{4}\.\d{4,5})\b")
# What no link belongs into: code, formulas, headings, and links that are there already.
UNLINKED = re.compile(
    r"(^```.*?^```|`[^`\n]*`|\$[^$]*\$|^#.*?$|<[^>]*>|\[[^\]]*\]\([^)]*\))", re.MULTILINE | re.DOTALL
)

# Whoever followed an old link arrives at the same place of the new page, without a script at its top.
REDIRECT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{number} · {title}</title>
<meta name="robots" content="noindex">
<link rel="canonical" href="{page}">
<script>location.replace("{page}" + location.hash)</script>
<meta http-equiv="refresh" content="0; url={page}">
</head>
<body><p>This page has moved: <a href="{page}">{number} · {title}</a></p></body>
</html>
"""


class BookError(Exception):
    """The book cannot be built or shown; the message says why and what to do."""


def build(root: Path, output: Path) -> None:
    """Build the book of the repository at `root` into `output`; sources and caches go beside it.

    Reads `root`/notebooks (committed notebooks and plan.toml) and `root`/data_scripts/sources.toml, writes
    nothing outside `output` and its two neighbours `-src` and `-cache`. Raises BookError if anything warns,
    RegisterError for a verdict that breaks the ledger's rules.
    """
    sources, cache = output.with_name(output.name + "-src"), output.with_name(output.name + "-cache")
    for folder in (output, sources):
        shutil.rmtree(folder, ignore_errors=True)
    write_sources(root, sources)
    arguments = ["-b", "html", "-W", "--keep-going", "-q", "-c", str(BOOK), "-d", str(cache)]
    if sphinx_build([*arguments, str(sources), str(output)]) != 0:
        raise BookError("the pages could not be built; the lines above name each page and what to correct")
    _copy_mathjax(output / "_static" / "mathjax")
    for language, folder in SEARCH_INDEXES.items():
        _index_for_search(output, language, folder)
    _write_redirects(root, output)  # last: a search must not find them


def preview(root: Path, output: Path, pages_wanted: list[str]) -> None:
    """Build pages of the book at `root` into `output`, quickly: what did not change since last time stays.

    `pages_wanted` are stems such as `02_cosine`; none of them means all pages. There is no search. Raises as
    `build` does.
    """
    sources, cache = output.with_name(output.name + "-src"), output.with_name(output.name + "-cache")
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "src"
        write_sources(root, fresh)
        _copy_what_changed(fresh, sources)
    wanted = [str(path) for stem in pages_wanted for path in sources.glob(f"{stem}.*")]
    arguments = ["-b", "html", "-W", "--keep-going", "-q", "-c", str(BOOK), "-d", str(cache)]
    if sphinx_build([*arguments, str(sources), str(output), *wanted]) != 0:
        raise BookError("the pages could not be built; the lines above name each page and what to correct")
    if not (output / "_static" / "mathjax").exists():
        _copy_mathjax(output / "_static" / "mathjax")
    _write_redirects(root, output)


def _copy_what_changed(fresh: Path, sources: Path) -> None:
    """Make a flat folder equal to another. An equal file keeps its time: Sphinx does not read it again."""
    sources.mkdir(parents=True, exist_ok=True)
    for path in sources.iterdir():
        if not (fresh / path.name).exists():
            path.unlink()
    for path in fresh.iterdir():
        same = sources / path.name
        if not same.exists() or same.read_bytes() != path.read_bytes():
            shutil.copy(path, same)


def write_sources(root: Path, sources: Path) -> None:
    """Fill the folder `sources` with what Sphinx reads: prepared copies of the notebooks and all pages."""
    sources.mkdir(parents=True)
    ledger = ledger_of(root / "notebooks")
    chapters = read_chapters(root / "notebooks")
    stale = stale_lessons(root)
    for path in lesson_notebooks(root / "notebooks"):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        prepare_notebook(notebook, stale.get(path.stem, ""))
        (sources / path.name).write_text(json.dumps(notebook, ensure_ascii=False), encoding="utf-8")
    shutil.copy(BOOK / "pages" / "how-to-read.md", sources)
    for name, text in _generated_pages(root, ledger, chapters).items():
        (sources / f"{name}.md").write_text(text, encoding="utf-8")


def _generated_pages(root: Path, ledger: Ledger, chapters: list[pages.Chapter]) -> dict[str, str]:
    return {
        "index": pages.cover(chapters, ledger),
        "ledger": pages.ledger_page(ledger, chapters),
        "glossary": pages.glossary_page(chapters, ledger),
        "data": pages.data_page(read_assets().values(), chapters),
        "measured": measured_page(),
    }


def read_chapters(notebooks: Path) -> list[pages.Chapter]:
    """The chapters that exist, in course order, with their row of plan.toml."""
    plan = read_lessons(notebooks / "plan.toml")
    chapters = []
    for path in lesson_notebooks(notebooks):
        if path.stem not in plan:
            raise BookError(f"{path.name} has no row in notebooks/plan.toml; add [chapters.{path.stem}]")
        lesson, notebook = plan[path.stem], json.loads(path.read_text(encoding="utf-8"))
        chapters.append(
            pages.Chapter(
                stem=path.stem,
                title=lesson.title,
                title_zh=lesson.title_zh,
                minutes=lesson.minutes,
                goal=lesson.goal,
                needs=tuple(name for scale in lesson.scales for name in lesson.needs_at(scale)),
                exercises=sum("exercise" in cell["metadata"].get("tags", ()) for cell in notebook["cells"]),
                verdicts=len(verdict_outputs(notebook)),
            )
        )
    return chapters


def prepare_notebook(notebook: dict, stale: str = "") -> None:
    """Change a parsed notebook in place for the page.

    `stale` is why its verdicts of the larger scale are of other code, "" if they are not.
    Ledger ids, terms and papers in the text become links, an exercise gets a heading that can be found,
    verdicts get a mark that the ledger can link to, and outputs keep only what a page can show.
    """
    terms = pages.term_places()
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            text = EXERCISE.sub(r"### Exercise \1\n\n", "".join(cell["source"]))
            cell["source"] = LEDGER_ID.sub(_ledger_link, link_terms_and_papers(text, terms))
        if cell["cell_type"] == "code":
            cell["outputs"] = [part for output in cell["outputs"] for part in _for_a_page(output, stale)]


def link_terms_and_papers(text: str, terms: dict[str, tuple[str, str]]) -> str:
    """`text` (Markdown) with a link at each arXiv number and at the first use of each glossary term.

    A use of a term is its Chinese name in brackets, as in "cold start (冷启动)". `terms` is what
    `pages.term_places` gives; a term that has got its link is taken out of it.
    """

    def term(match: re.Match) -> str:
        if match["zh"] not in terms:
            return match[0]
        english, place = terms[match["zh"]]
        for chinese in [name for name, found in terms.items() if found[1] == place]:
            del terms[chinese]
        link = (
            f'<a class="term-link" lang="zh" href="glossary.html#{place}" title="{english}">{match["zh"]}</a>'
        )
        return f"({match['before']}{link})"

    names = "|".join(map(re.escape, sorted(terms, key=len, reverse=True)))
    use = re.compile(rf"\((?P<before>(?:[^()\n]*, )?)(?P<zh>{names})\)" if names else r"(?!)")
    parts = UNLINKED.split(text)
    parts[::2] = [
        ARXIV.sub(r'<a href="https://arxiv.org/abs/\1">arXiv:\1</a>', use.sub(term, part))
        for part in parts[::2]
    ]
    return "".join(parts)


def _ledger_link(match: re.Match) -> str:
    return f'<a class="entry-link" href="ledger.html#{match[0].lower()}">{match[0]}</a>'


def _for_a_page(output: dict, stale: str) -> list[dict]:
    """An output without what only machines or a kernel can use, after a mark if it holds a verdict."""
    if "data" not in output:
        return [output]
    verdict = output["data"].get(VERDICT_MIME)
    shown = output | {
        "data": {mime: data for mime, data in output["data"].items() if not mime.startswith("application/")}
    }
    if verdict is None:
        return [shown]
    name, anchor = verdict["id"], pages.anchor(verdict["id"])
    place = (
        f'<p class="verdict-anchor" id="{anchor}"><a href="#{anchor}">Verdict on {name}</a> · '
        f'<a href="ledger.html#{name.lower()}">{name} in the ledger</a></p>'
    )
    if stale and verdict.get("full"):
        place += f'<p class="verdict-stale">{escape(pages.STALE.format(why=stale))}</p>'
    return [{"output_type": "display_data", "data": {"text/html": place}, "metadata": {}}, shown]


def _write_redirects(root: Path, output: Path) -> None:
    """A page for each old key of a lesson (`was` in plan.toml), which leads to the lesson's page of today."""
    for lesson in read_lessons(root / "notebooks" / "plan.toml").values():
        page = f"{lesson.key}.html"
        for old in lesson.was if (output / page).exists() else ():
            text = REDIRECT.format(page=page, title=escape(lesson.title), number=lesson.number)
            (output / f"{old}.html").write_text(text, encoding="utf-8")


def _copy_mathjax(target: Path) -> None:
    """Copy MathJax out of the package that carries it; nothing of that package is imported."""
    package = find_spec("mathjax")
    if package is None:
        raise BookError(
            "MathJax is missing; install the book's requirements: pip install -r requirements.lock"
        )
    library = Path(package.submodule_search_locations[0]) / "static" / "mathjax" / "es5"
    for part in MATHJAX_PARTS:
        if (library / part).is_dir():
            shutil.copytree(library / part, target / part)
        else:
            (target / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library / part, target / part)


def _index_for_search(site: Path, language: str, folder: str) -> None:
    command = [sys.executable, "-m", "pagefind", "--site", str(site), "--output-subdir", folder]
    options = ["--force-language", language, "--root-selector", "article.bd-article"]
    options += ["--exclude-selectors", NOT_SEARCHED, "--quiet"]
    result = subprocess.run([*command, *options], capture_output=True, text=True)
    if result.returncode != 0:
        raise BookError(f"the search index ({language}) could not be made: {result.stderr.strip()}")
