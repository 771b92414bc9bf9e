"""What every built book must keep: links, headings, alt texts, no foreign requests, a search index."""

import functools
import gzip
import json
import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from small_course import chapter, write_course

from book.build import BookError, build, link_terms_and_papers
from book.page_changes import keep_intervals_whole
from book.pages import HEADLINE_NUMBERS
from course_lib.registers import read_glossary, read_ledger, read_lessons, read_measurement, read_measurements


@functools.lru_cache(maxsize=1)  # parsing takes longer than all that is asked of the pages
def pages(site: Path) -> dict[Path, BeautifulSoup]:
    """All pages but those that only lead to another."""
    texts = {path: path.read_text(encoding="utf-8") for path in site.glob("*.html")}
    found = {
        path: BeautifulSoup(text, "html.parser")
        for path, text in texts.items()
        if 'http-equiv="refresh"' not in text
    }
    assert len(found) >= 6
    return found


def page(site: Path, name: str) -> BeautifulSoup:
    return BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


def test_no_page_loads_anything_from_elsewhere(site):
    loading = ("script", "img", "iframe", "link", "source", "video", "audio", "object", "embed", "form")
    for path, soup in pages(site).items():
        for tag in soup(loading):
            for name in ("src", "href", "srcset", "data", "action"):
                assert not re.match(r"(https?:)?//", tag.get(name) or ""), f"{path.name}: {tag}"
        for script in soup("script"):
            assert "http" not in (script.string or ""), f"{path.name}: {script}"


def test_no_style_sheet_or_script_of_ours_names_another_site(site):
    for path in (site / "_static").rglob("*.css"):
        text = path.read_text(encoding="utf-8")
        foreign = re.findall(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')]+)", text)
        assert not foreign, f"{path.name}: {foreign}"
    for name in ("search.js", "ledger.js"):
        assert "http" not in (site / "_static" / name).read_text(encoding="utf-8")


def test_every_internal_link_arrives(site):
    soups = pages(site)
    anchors = {path.name: {tag["id"] for tag in soup(id=True)} for path, soup in soups.items()}
    for path, soup in soups.items():
        for link in soup("a", href=True):
            parts = urlsplit(link["href"])
            if parts.scheme or parts.netloc:
                continue
            target = unquote(parts.path) or path.name
            assert (site / target).is_file(), f"{path.name} links to {link['href']}"
            if parts.fragment and target in anchors:
                assert unquote(parts.fragment) in anchors[target], f"{path.name} links to {link['href']}"


def test_ids_are_used_once(site):
    for path, soup in pages(site).items():
        ids = [tag["id"] for tag in soup(id=True)]
        assert len(ids) == len(set(ids)), f"{path.name}: {sorted({i for i in ids if ids.count(i) > 1})}"


def test_headings_are_in_order(site):
    for path, soup in pages(site).items():
        main = soup.find("article", class_="bd-article") or soup.find(class_="bd-search-container")
        levels = [int(heading.name[1]) for heading in main.find_all(re.compile("^h[1-6]$"))]
        assert levels.count(1) == 1, path.name
        assert levels[0] == 1, path.name
        assert all(after <= before + 1 for before, after in pairwise(levels)), path.name


def test_nothing_that_ends_a_paragraph_stands_in_one(site):
    """A browser closes a paragraph at a block and repeats an open link in it: another page than ours."""
    blocks = re.compile("^(blockquote|details|div|dl|figure|form|h[1-6]|hr|ol|p|pre|section|table|ul)$")
    for path, soup in pages(site).items():
        for paragraph in soup("p"):
            assert not paragraph.find(blocks), f"{path.name}: {paragraph}"


INTERACTIVE = ["a", "button", "input", "select", "summary", "textarea"]


def test_nothing_to_click_stands_in_something_to_click_or_in_a_picture(site):
    for path, soup in pages(site).items():
        for outer in [*soup("a", href=True), *soup(["button", "summary"]), *soup(attrs={"role": "img"})]:
            assert not outer.find(INTERACTIVE), f"{path.name}: {outer}"


def test_every_link_has_a_name(site):
    for path, soup in pages(site).items():
        for link in soup("a", href=True):
            named = link.get_text(strip=True) or link.get("aria-label") or link.find("img", alt=True)
            assert named, f"{path.name}: {link}"


@pytest.mark.parametrize("name", ["index", "ledger"])
def test_each_square_of_the_wall_leads_to_its_entry(site, name):
    entries = read_ledger().entries.values()
    wall = page(site, name).select_one("div.ledger-wall")
    squares = wall.select("div.wall-row > i")
    links = [square.find("a", recursive=False) for square in squares]
    assert [link["href"] for link in links] == [f"ledger.html#{entry.id.lower()}" for entry in entries]
    rows = {row["id"]: row["data-verdict"] for row in page(site, "ledger").select("#ledger-table tbody tr")}
    for link, entry in zip(links, entries, strict=True):
        assert link["aria-label"] == f"{entry.id}: {rows[entry.id.lower()]}"
    heads = [head.get_text() for head in wall.select("div.wall-row > b > a")]
    assert heads == ["D1", "D2", "D3", "D4", "D5"]
    assert not wall.find(["p", "button"])


def test_every_picture_has_a_text(site):
    for path, soup in pages(site).items():
        for image in soup("img"):
            assert image.get("alt"), f"{path.name}: {image}"
        for drawing in soup(attrs={"role": "img"}):
            assert drawing.get("aria-label"), path.name


def test_a_figure_without_alt_text_fails_the_build(tmp_path, capsys):
    root = write_course(tmp_path, {"02_cosine": chapter("02", [], figure_alt="")})
    with pytest.raises(BookError, match="the lines above"):
        build(root, root / "build" / "book")
    assert "an image has no alt text" in capsys.readouterr().err


def test_ledger_page_shows_every_entry_and_leads_to_the_cells(site):
    rows = page(site, "ledger").select("#ledger-table tbody tr")
    assert len(rows) == len(read_ledger().entries)
    assert {row["id"] for row in rows} >= {"d1-01", "d5-20"}


def test_ledger_page_tells_the_states_apart(small_book):
    rows = {row["id"]: row for row in page(small_book, "ledger").select("#ledger-table tbody tr")}
    assert rows["d1-17"]["data-verdict"] == "corrected"
    assert rows["d1-17"].select_one("a[href='02_cosine.html#verdict-d1-17']")
    assert rows["d1-24"]["data-verdict"] == "partly settled"
    assert "waits for chapter 07, graph" in rows["d1-24"].get_text()
    assert rows["d4-03"]["data-verdict"] == "open"
    assert "chapter 09, finetune, to come" in rows["d4-03"].get_text()
    assert "0.185 [0.165, 0.204]" in rows["d1-09"].get_text()
    assert "all-MiniLM-L6-v2" in rows["d1-09"].get_text()


def test_cover_has_a_card_for_each_chapter_and_the_live_tally(small_book):
    cover = page(small_book, "index")
    cards = cover.select("a.chapter-card")
    assert [card["href"] for card in cards] == ["02_cosine.html", "04a_texts.html", "04b_people.html"]
    assert [card.select_one(".chapter-number").get_text() for card in cards] == ["02", "04a", "04b"]
    assert f"4 of {len(read_ledger().entries)} entries are settled" in cover.get_text()
    assert len(cover.select(".ledger-wall i")) == len(read_ledger().entries)


def test_a_card_stands_where_it_was_measured_and_the_entry_where_it_is_taught_first(small_book):
    rows = {row["id"]: row for row in page(small_book, "ledger").select("#ledger-table tbody tr")}
    assert rows["d1-09"].select_one("a[href='04b_people.html#verdict-d1-09']").get_text() == (
        "See it in chapter 04b"
    )
    assert rows["d4-01"].select_one("a[href='04a_texts.html#verdict-d4-01']")
    assert "Taught first in chapter 05, cf, to come" in rows["d4-01"].get_text()
    for name in ("d1-09", "d1-16", "d4-03"):  # measured in a lesson of its own chapter, or open
        assert "Taught first" not in rows[name].get_text()
    assert page(small_book, "index").select_one(".headline a.entry-link")["href"] == (
        "04b_people.html#verdict-d1-09"
    )


def test_a_page_that_moved_leads_to_the_lesson_that_it_became(small_book):
    old = page(small_book, "04_encoding")
    assert old.find("meta", attrs={"http-equiv": "refresh"})["content"] == "0; url=04a_texts.html"
    assert 'location.replace("04a_texts.html" + location.hash)' in old.script.get_text()
    assert (old.a["href"], old.a.get_text()) == ("04a_texts.html", "04a · Lesson 04a")
    assert old.find("meta", attrs={"name": "robots"})["content"] == "noindex"
    for index in ("pagefind", "pagefind-zh"):
        urls = {found["url"] for found in fragments(small_book, index)}
        assert "/04a_texts.html" in urls
        assert "/04_encoding.html" not in urls
    assert not any(
        link.get("href", "").startswith("04_enc") for soup in pages(small_book).values() for link in soup("a")
    )


def test_every_old_key_of_the_course_has_its_page(committed_book):
    for lesson in read_lessons().values():
        for old in lesson.was:
            assert f'href="{lesson.key}.html"' in (committed_book / f"{old}.html").read_text(encoding="utf-8")


def test_cover_draws_measured_intervals_in_words_with_their_zero(site):
    drawing = page(site, "index").select_one(".headline .intervals")
    rows = drawing.select(".interval-row:not(.interval-axis)")
    named = [row.select_one(".interval-name").get_text() for row in rows]
    assert set(HEADLINE_NUMBERS.values()) >= {name.rsplit(":", 1)[0] for name in named}
    means = [float(re.search(r": (-?[\d.]+) \[", name)[1]) for name in named]
    assert means == sorted(means, reverse=True)
    assert min(means) < 0 < max(means)
    zeros = {row.select_one("path.zero")["d"] for row in rows}
    assert len(zeros) == 1
    zero = float(re.match(r"M([\d.]+) ", zeros.pop())[1])
    for row, mean in zip(rows, means, strict=True):
        place = float(re.match(r"M([\d.]+) ", row.select_one("path.mean")["d"])[1])
        assert (place > zero) == (mean > 0)
    assert "0" in [tick.get_text() for tick in drawing.select(".ticks span")]
    for name in named:
        assert name in drawing["aria-label"]


def test_cover_of_the_course_draws_all_numbers_of_its_headline(committed_book):
    rows = page(committed_book, "index").select(".headline .interval-row:not(.interval-axis)")
    assert len(rows) == len(HEADLINE_NUMBERS), "chapter 04 renamed a number of this verdict"


def test_chapter_folds_its_solution_and_links_ledger_ids(small_book):
    text = page(small_book, "02_cosine")
    solution = text.select_one("details:has(> summary:-soup-contains('Show a solution'))")
    assert not solution.has_attr("open")
    assert solution.select_one("div.highlight-python pre").get_text().strip() == "answer = 1"
    assert text.select_one("td a[href='ledger.html#d1-16']")


def test_a_verdict_card_leads_to_the_ledger_and_to_itself(site):
    rows = page(site, "ledger").select("#ledger-table tbody tr")
    chapters = {path.name: soup for path, soup in pages(site).items() if path.name[:2].isdigit()}
    cards = 0
    for row in rows:
        for link in row.select(".evidence a[href*='#verdict-']"):
            name, anchor = link["href"].split("#")
            mark = chapters[name].find(id=anchor)
            assert [a["href"] for a in mark("a")] == [f"#{anchor}", f"ledger.html#{row['id']}"]
            cards += 1
    assert cards == sum(len(soup.select(".verdict-anchor")) for soup in chapters.values()) >= 4


def test_chapter_links_terms_and_papers(small_book):
    text = page(small_book, "02_cosine")
    assert [a["href"] for a in text.select("a.term-link")] == ["glossary.html#term-cosine-similarity"]
    assert text.select_one("a[href='https://arxiv.org/abs/2403.05440']").get_text() == "arXiv:2403.05440"


def test_the_first_use_of_a_term_is_linked_outside_code_formulas_and_headings():
    terms = {"冷启动": ("Cold start", "term-cold"), "召回": ("Recall", "term-recall")}
    use = "a film, new (cold start, 冷启动), again (冷启动), none (召)."
    text = f"# Cold (冷启动)\n`x(召回)` and $(召回)$; {use}\n```\n(召回)\n```\n"
    linked = link_terms_and_papers(text, terms)
    link = '<a class="term-link" lang="zh" href="glossary.html#term-cold" title="Cold start">冷启动</a>'
    assert linked == text.replace("(cold start, 冷启动)", f"(cold start, {link})")
    assert list(terms) == ["召回"]


def test_a_page_of_ours_names_a_chapter_that_does_not_exist_as_planned(site):
    """Chapters are others' pages; what we write around them must not send a reader into the void."""
    soups = pages(site)
    existing = {path.name[:2] for path in soups if path.name[:2].isdigit()}
    mentions = 0
    for path, soup in soups.items():
        if path.name[:2].isdigit() or path.name == "search.html":
            continue
        article = soup.find("article", class_="bd-article")
        for sentence in article.select(".verdict-sentence"):
            sentence.decompose()  # a chapter's own words
        text = " ".join(article.get_text(" ").split())
        for match in re.finditer(r"\bchapter (\d\d)[a-z]?\b(.{0,30})", text, re.IGNORECASE):
            mentions += 1
            assert match[1] in existing or "to come" in match[2], f"{path.name}: {match[0]}"
    assert mentions > 40


def test_cover_says_how_much_is_settled_and_what_is_planned(site):
    cover = page(site, "index").find("article", class_="bd-article")
    text = " ".join(cover.get_text().split())
    rows = page(site, "ledger").select("#ledger-table tbody tr")
    settled = sum(row["data-verdict"] not in ("open", "partly settled") for row in rows)
    assert f"{settled} of {len(rows)} statements are settled so far" in text
    planned = re.search(r"Planned, not written yet, .*?: (.*?)\.", text)[1]
    waiting = dict(re.findall(r"(\d\d) \w+ \((\d+)\)", planned))
    linked = {card["href"][:2] for card in cover.select("a.chapter-card")}
    assert not linked & waiting.keys()
    assert len(linked) + len(waiting) == len(read_ledger().chapters)


def test_glossary_has_both_languages_and_links_only_existing_chapters(small_book):
    glossary = page(small_book, "glossary")
    terms = read_glossary()
    assert len(glossary.select(".term")) == len(terms) >= 40
    han = re.compile(r"[\u4e00-\u9fff]")
    assert all(han.search(term.means_zh) and term.means and term.zh for term in terms)
    needed = ("Recommender system", "Deep learning", "Large model", "Collaborative filtering", "Cold start")
    assert {*needed, "Multi-armed bandit"} <= {term.en for term in terms}
    assert {link["href"] for link in glossary.select(".term a")} == {"02_cosine.html", "04a_texts.html"}


def test_data_page_lists_every_asset(site):
    text = page(site, "data").get_text()
    for name in ("movielens-100k", "minilm"):
        assert name in text


def test_benchmarks_stand_beside_published_figures(site):
    """Each stored benchmark with its promises; simulated figures say so in their own row."""
    measured = page(site, "measured")
    text = measured.get_text().replace("’", "'")
    shown = [found for found in read_measurements().values() if found.title]
    assert {found.name for found in shown} == {"ncf", "gowalla", "mind", "encode", "topk", "metrics"}
    for found in shown:
        assert f"benchmark {found.name}" in text
        for promise in found.promises:
            assert promise["what"] in text
    by_place = sorted(shown, key=lambda found: found.place)
    assert [
        heading.get_text()[: len(found.title)]
        for heading, found in zip(measured.select("section > h2"), by_place, strict=True)
    ] == [found.title for found in by_place]
    assert "0.7294" in text  # matrix factorisation as published, beside ours
    assert "0.1765" in text
    of_news = [row.get_text(" ") for row in measured.select("table tr") if "MiniLM, frozen" in row.get_text()]
    simulated = read_measurement("mind")["simulated"]
    assert [("(simulated)" in row) for row in of_news] == [simulated] * 2
    assert ("stand here for orientation only" in text) == simulated


# Pagefind's extended build cuts Chinese text into words and marks the cuts with this sign.
WORD_MARK = "\u200b"


def fragments(site: Path, index: str) -> list[dict]:
    """What one search index holds of each page (Pagefind packs JSON after a signature into gzip files)."""
    packed = [gzip.decompress(path.read_bytes()) for path in (site / index / "fragment").iterdir()]
    return [json.loads(raw[raw.index(b"{") :]) for raw in packed]


def searched_text(site: Path, index: str) -> str:
    """All text that one search index holds."""
    return "\n".join(page["content"] for page in fragments(site, index)).replace(WORD_MARK, "")


@pytest.mark.parametrize(("index", "language"), [("pagefind", "en"), ("pagefind-zh", "zh")])
def test_search_indexes_hold_english_and_chinese(site, index, language):
    entry = json.loads((site / index / "pagefind-entry.json").read_text(encoding="utf-8"))
    # Every page of the book except the search page itself.
    assert entry["languages"][language]["page_count"] == len(pages(site)) - 1
    text = searched_text(site, index)
    assert "cold start" in text.lower()
    assert "冷启动" in text


def test_search_leads_to_exercises_and_to_rows_of_the_ledger(small_book):
    anchors = {
        page["url"]: {anchor["id"] for anchor in page["anchors"]}
        for page in fragments(small_book, "pagefind")
    }
    assert "exercise-02-1-heading" in anchors["/02_cosine.html"]
    assert {f"entry-{name.lower()}" for name in read_ledger().entries} <= anchors["/ledger.html"]


def test_search_reads_no_code_and_no_columns_of_numbers(small_book):
    text = searched_text(small_book, "pagefind")
    assert "How long is the arrow?" in text
    assert "answer =" not in text
    assert "python course.py run" not in text


def test_chinese_is_cut_into_words(small_book):
    folder = small_book / "pagefind-zh" / "fragment"
    raw = b"".join(gzip.decompress(path.read_bytes()) for path in folder.iterdir())
    assert f"余弦{WORD_MARK}相似" in raw.decode(errors="ignore")


def test_sphinx_search_is_gone(site):
    assert not (site / "searchindex.js").exists()
    assert len(page(site, "index").select(".search-found")) == 1


def test_formulas_load_the_parts_that_are_asked_for_and_they_are_there(small_book):
    page_with = page(small_book, "02_cosine")
    config = next(s.string for s in page_with("script") if "window.MathJax" in (s.string or ""))
    asked = json.loads(config.split("=", 1)[1])["loader"]["load"]
    folder = small_book / "_static" / "mathjax"
    parts = [folder / f"{name}.js" for name in (*asked, "core", "startup", "output/chtml/fonts/tex")]
    assert sum(part.stat().st_size for part in parts) < 0.8e6
    for name in ("index", "ledger", "glossary", "how-to-read"):
        assert not [s for s in page(small_book, name)("script") if "mathjax" in (s.get("src") or "").lower()]


def test_a_page_is_light(site):
    """What the head of a page loads; the theme's script for icons alone would be 1.6 MB."""
    for path, soup in pages(site).items():
        loaded = {tag.get("src") or tag.get("href") for tag in soup(["script", "link"])} - {None}
        files = {site / unquote(urlsplit(name).path) for name in loaded if "_static" in name}
        size = sum(file.stat().st_size for file in files)
        assert 0.3e6 < size < 0.7e6, f"{path.name}: {size}"


def test_every_icon_is_drawn_by_the_style_sheet_and_its_font(site):
    style = (site / "_static" / "styles" / "pydata-sphinx-theme.css").read_text(encoding="utf-8")
    drawn = [icon for soup in pages(site).values() for icon in soup(class_=re.compile("^fas?$|^fa-solid$"))]
    used = {name for icon in drawn for name in icon["class"]}
    icons = {name for name in used if re.fullmatch(r"fa-(?!solid|lg|fw).+", name)}
    assert {"fa-magnifying-glass", "fa-download", "fa-bars"} <= icons
    for name in icons:
        assert re.search(rf"\.{name}(,[^{{}}]*)?\{{--fa:", style), name
    for font in re.findall(r"url\(([^)]*fa-solid[^)]*)\)", style):
        assert (site / "_static" / "styles" / font.strip("\"'").split("?")[0]).is_file()


def test_a_control_is_called_what_is_written_on_it(site):
    for path, soup in pages(site).items():
        for control in soup(["a", "button", "summary"], attrs={"aria-label": True}):
            written = "".join(control.get_text().split()).casefold()
            assert written in "".join(control["aria-label"].split()).casefold(), f"{path.name}: {control}"


def test_a_theme_is_chosen_before_the_page_is_drawn(small_book):
    head = (small_book / "index.html").read_text(encoding="utf-8").split("</head>")[0]
    assert head.index('localStorage.getItem("theme")') < head.index('dataset.mode ||= "auto"')


BARE_INTERVAL = re.compile(r"\[[-−]?\d[\d.,]*, [-−]?\d[\d.,]*\]")


def test_an_interval_stays_on_one_line(site):
    marked = 0
    for path, soup in pages(site).items():
        for text in (soup.find("article", class_="bd-article") or soup).find_all(string=BARE_INTERVAL):
            if not text.find_parent(["pre", "code", "script", "style"]):
                assert "interval" in text.parent.get("class", ()), f"{path.name}: {text}"
                marked += 1
    assert marked >= 3
    style = (site / "_static" / "book.css").read_text(encoding="utf-8")
    assert re.search(r"^\.interval \{[^}]*white-space: nowrap", style, re.MULTILINE)


def test_intervals_in_tags_and_in_code_are_left_alone():
    body = '<p title="[0.1, 0.2]">0.15 [0.1, −0.2]</p><pre>x = [1, 2]</pre> <code>[1, 2]</code> [5 %, 6 %]'
    context = {"body": body}
    keep_intervals_whole(None, "", "", context, None)
    wrapped = '<span class="interval">{}</span>'.format
    expected = body.replace("0.15 [0.1, −0.2]", f"0.15 {wrapped('[0.1, −0.2]')}")
    assert context["body"] == expected.replace("[5 %, 6 %]", wrapped("[5 %, 6 %]"))


def test_mathematics_is_rendered_by_local_files(small_book):
    scripts = [script.get("src") or "" for script in page(small_book, "02_cosine")("script")]
    source = next(script for script in scripts if "mathjax" in script)
    assert (small_book / source.split("?")[0]).is_file()
