"""The quick build of one page, for whoever edits."""

import json

from small_course import chapter, write_course

from book.build import preview


def test_a_changed_page_is_built_again_and_nothing_else_is_read(tmp_path):
    chapters = {"02_cosine": chapter("02 · Cosine", []), "04a_texts": chapter("04a · Texts", [])}
    root = write_course(tmp_path, chapters, {"02_cosine": ["02_angle"]})
    output = root / "build" / "preview"
    preview(root, output, ["02_cosine"])
    assert (output / "_static" / "mathjax").is_dir()
    assert not (output / "04a_texts.html").exists()
    assert "02_cosine.html" in (output / "02_angle.html").read_text(encoding="utf-8")
    sources = output.with_name("preview-src")
    before = {path.name: path.stat().st_mtime_ns for path in sources.iterdir()}

    path = root / "notebooks" / "02_cosine.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][0]["source"] = "# 02 · Cosine\n\nA new sentence."
    path.write_text(json.dumps(notebook), encoding="utf-8")
    (sources / "gone.md").write_text("# Gone", encoding="utf-8")
    preview(root, output, ["02_cosine"])
    assert "A new sentence." in (output / "02_cosine.html").read_text(encoding="utf-8")
    after = {path.name: path.stat().st_mtime_ns for path in sources.iterdir()}
    assert {name for name in before if after[name] != before[name]} == {"02_cosine.ipynb"}
    assert after.keys() == before.keys()
