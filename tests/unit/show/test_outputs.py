"""How results look: numbers, intervals, tables, figures."""

import base64
import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from course_lib import show
from course_lib.registers import RegisterError
from course_lib.show import figures


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.8944272, "0.894"),
        (0.084, "0.0840"),
        (23.456, "23.5"),
        (1234.567, "1234.6"),
        (98765.4, "98,765.4"),
        (0.00001234, "1.23e-05"),
        (1995, "1995"),
        (np.int64(100_000), "100,000"),
        (0.0, "0.000"),
        (-0.5, "-0.500"),
        (float("nan"), "–"),
        (float("-inf"), "−∞"),
        (np.True_, "yes"),
    ],
)
def test_number(value, written):
    assert show.number(value) == written


def test_number_takes_digits():
    assert show.number(0.8944272, 4) == "0.8944"


def test_interval_has_equal_decimals_and_no_negative_zero():
    assert show.interval(0.0841, (0.0789, 0.0894)) == "0.084 [0.079, 0.089]"
    assert show.interval(0.1, (-0.0001, 0.2)) == "0.100 [0.000, 0.200]"


def test_table_aligns_decimals_escapes_text_and_names_nothing_at_random(shown):
    rows = pd.DataFrame(
        {"share": [0.1, 0.0234, np.nan], "year": [1995, 1996, 1997], "film": ["<i>", "b", None]}
    )
    show.table(rows, caption="Films & shares")
    show.table(rows, caption="Films & shares")
    (data, _), (again, _) = shown
    assert data == again
    page = data["text/html"]
    assert "Films &amp; shares" in page
    assert ">0.100<" in page
    assert ">0.023<" in page
    assert ">1995<" in page
    assert "&lt;i&gt;" in page
    assert page.count(">–<") == 2
    assert "id=" not in page
    assert data["text/plain"].startswith("Films & shares\n")


def test_table_shows_row_names_and_hides_row_numbers(shown):
    show.table(pd.DataFrame({"x": [1.5]}))
    show.table(pd.DataFrame({"x": [1.5]}, index=["mean"]))
    show.table(pd.DataFrame({"x": [1.5, 2.5]}, index=range(1, 3)))
    plain = [data["text/plain"].split() for data, _ in shown]
    assert plain == [["x", "1.50"], ["x", "mean", "1.50"], ["x", "1", "1.50", "2", "2.50"]]


def test_table_takes_rows_and_refuses_none(shown):
    show.table([{"genre": "War", "films": 71}])
    assert "War" in shown[0][0]["text/html"]
    with pytest.raises(ValueError, match="no rows"):
        show.table([])


def test_figure_is_small_has_alt_text_and_its_table_follows(shown):
    show.style()
    fig, axis = plt.subplots()
    axis.scatter(*np.random.default_rng(0).normal(size=(2, 5_000)), s=4)
    show.figure(fig, alt="A cloud of points around zero.", table=[{"points": 5_000}], caption="A cloud")
    (image, metadata), (table, _) = shown
    png = base64.b64decode(image["image/png"])
    assert len(png) <= show.LARGEST_IMAGE
    assert Image.open(io.BytesIO(png)).width > 800
    assert image["text/plain"] == "Figure: A cloud of points around zero."
    assert metadata["image/png"] == {"width": 614, "alt": "A cloud of points around zero."}
    assert "A cloud" in table["text/html"]
    assert not plt.fignum_exists(fig.number)


def test_a_crowded_figure_is_drawn_with_fewer_colours_and_pixels():
    fig = plt.figure(figsize=(8, 6))
    fig.figimage(np.random.default_rng(0).random((600, 800)), cmap="viridis")
    assert len(figures._small_png(fig)) < 300_000
    plt.close(fig)


def test_figure_wants_real_alt_text(shown):
    fig = plt.figure()
    with pytest.raises(ValueError, match="alt text"):
        show.figure(fig, alt="A plot")
    plt.close(fig)


def test_palette_has_eight_different_colours():
    assert len(set(show.PALETTE)) == 8


def test_a_missing_measurement_says_how_to_make_it():
    with pytest.raises(RegisterError, match=r"python course\.py benchmark no-such"):
        show.measurement("no-such")


def test_every_name_of_the_room_is_there():
    assert [name for name in show.__all__ if not hasattr(show, name)] == []
