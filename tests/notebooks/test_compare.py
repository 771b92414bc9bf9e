"""What the comparison of outputs lets pass, and what it must not."""

import base64
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from nbformat.v4 import new_output
from PIL import Image

from notebooks.make import pairing
from notebooks.make.compare import difference, text_difference

HERE = Path(__file__).resolve().parent


@pytest.mark.parametrize(
    ("stored", "fresh"),
    [
        ("mean 0.834", "mean 0.835"),
        ("0.0999", "0.100"),
        ("-0.001", "0.000"),
        ("1.23e-05", "1.24e-05"),
        ("12,345.6", "12,345.7"),
        ("<td>0.50</td>", "<td>0.51</td>"),
        ("0.084 [0.079, 0.089]", "0.084 [0.080, 0.089]"),
        ("9.99  a", "10.00 a"),
    ],
)
def test_the_last_digit_of_a_float_may_differ_by_one(stored, fresh):
    assert text_difference(stored, fresh) is None
    assert text_difference(fresh, stored) is None


@pytest.mark.parametrize(
    ("stored", "fresh"),
    [
        ("mean 0.834", "mean 0.836"),
        ("mean 0.834", "median 0.834"),
        ("12 films", "13 films"),
        ("12,345", "12,346"),
        ("1.50", "-1.50"),
        ("version 2.13.0", "version 2.14.0"),
        ("D1 §4.2", "D1 §4.3"),
        ("exercise 02.1", "exercise 02.2"),
        ("vitamin b1.5", "vitamin b1.6"),
        ("0.5", "0.5 0.6"),
        ("a 0.5", "a 0.5 b"),
        ("1", "1.0"),
        ("a\nb", "a b"),
    ],
)
def test_everything_else_may_not(stored, fresh):
    assert text_difference(stored, fresh)
    assert text_difference(fresh, stored)


def test_a_tolerance_is_for_floats_only():
    assert text_difference("0.50 of 10", "0.58 of 10", tolerance=0.1) is None
    assert text_difference("0.50 of 10", "0.68 of 10", tolerance=0.1)
    assert text_difference("0.50 of 10", "0.50 of 11", tolerance=5)


def png(grey):
    held = io.BytesIO()
    Image.fromarray((grey * 255).astype(np.uint8)).save(held, "png")
    return [new_output("display_data", {"image/png": base64.b64encode(held.getvalue()).decode()})]


def test_pictures_are_compared():
    drawn = np.ones((160, 320))
    drawn[80:82, 20:300] = 0
    faint, moved, larger = drawn.copy(), np.ones((160, 320)), np.ones((168, 320))
    faint[80, 20:24] = 0.5
    moved[40:42, 20:300] = 0
    assert difference(png(drawn), png(faint)) is None
    assert "changed" in difference(png(drawn), png(moved))
    assert "pixels" in difference(png(drawn), png(larger))


def test_kinds_and_numbers_of_outputs_are_compared():
    text = new_output("display_data", {"text/plain": "a"})
    both = new_output("display_data", {"text/plain": "a", "text/html": "<b>a</b>"})
    verdict = new_output("display_data", {"application/x+json": {"word": "works", "n": "0.50"}})
    other = new_output("display_data", {"application/x+json": {"word": "harms", "n": "0.50"}})
    assert difference([text], [text]) is None
    assert difference([text], [text, text])
    assert difference([text], [])
    assert difference([text], [both])
    assert difference([verdict], [verdict]) is None
    assert "works" in difference([verdict], [other])


def test_a_changed_notebook_fails_under_nbval_in_exactly_the_changed_cells(toy):
    """Changes that must be caught, a wrong solution, and one that is float noise, in one run of a kernel."""
    path = toy.notebook(toy.chapters[0])
    notebook = pairing.read(path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    first = next(place for place, cell in enumerate(code) if cell.source.startswith("show.say"))
    sentence, frame, table, printed, product, figure, fails, still, verdict, *_ = code[first:]

    def change(cell, mime, old, new):
        data = cell.outputs[0].data
        assert data[mime] != data[mime].replace(old, new)
        data[mime] = data[mime].replace(old, new)

    change(sentence, "text/markdown", "mean", "median")
    cell_html = frame.outputs[0].data["text/html"]
    change(frame, "text/html", cell_html.split("<td>")[2].split("</td>")[0], "9.999")
    last_digit = table.outputs[0].data["text/html"].split("</td></tr>")[0][-1]
    noisy = "4" if last_digit == "5" else str(int(last_digit) + 1) if last_digit != "9" else "8"
    change(table, "text/html", f"{last_digit}</td></tr>", f"{noisy}</td></tr>")  # may pass: see below
    printed.outputs[0].text = printed.outputs[0].text.replace("12345", "12346")
    product.outputs = []
    figure.outputs = figure.outputs[:1]
    fails.outputs = [*fails.outputs, fails.outputs[0].copy()]
    change(verdict, "text/plain", "corrected", "correct")
    (solution,) = (cell for cell in notebook.cells if "solution" in cell.metadata.get("tags", []))
    solution.source = solution.source.replace("answer = 42", "answer = 41")
    pairing.write(notebook, path, toy.work)

    words = [sys.executable, "-m", "pytest", "-p", "strict_nbval", "-q", "-rA", "--color=no", str(path)]
    places = os.pathsep.join([str(HERE), str(HERE.parents[1])])
    done = subprocess.run(
        words, cwd=toy.root, env={**os.environ, "PYTHONPATH": places}, capture_output=True, text=True
    )
    failed, passed = (
        {int(cell) for cell in re.findall(rf"^{word} .*Cell (\d+)", done.stdout, re.MULTILINE)}
        for word in ("FAILED", "PASSED")
    )
    changed = {code.index(cell) for cell in (sentence, frame, printed, product, figure, fails, verdict)}
    assert failed == changed, done.stdout
    assert passed == set(range(len(code))) - changed
    assert code.index(still) in passed
    assert re.search(r"^FAILED .*Solution 02\.1", done.stdout, re.MULTILINE)
    assert "the solution of exercise 02.1 is wrong: no." in done.stdout
