"""Live cells: something to move or to time for a person, and a still version of it in the stored notebook.

The course's own runs set ``COURSE_HEADLESS=1``. There a live cell shows its still version, which is an
ordinary output: stored, compared, printed in the book. In JupyterLab the same cell shows the widget.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from typing import Any

from course_lib import show


def is_live() -> bool:
    """True where a person runs the notebook, False in the course's own runs and tests."""
    return os.environ.get("COURSE_HEADLESS") != "1"


def slider(draw: Callable[..., Any], **ranges: tuple[float, float, float]) -> None:
    """Give a person sliders: ``draw`` is called again at every move, each argument in ``(low, high, step)``.

    A slider starts at the default of its argument. The stored version is one call of ``draw`` with its
    defaults, so ``draw`` shows its picture with ``show.figure`` and an ``alt`` made from its arguments.
    Raises ``ValueError`` for an argument without a default inside its range.
    """
    arguments = inspect.signature(draw).parameters
    starts = {}
    for name, (low, high, _) in ranges.items():
        start = arguments[name].default if name in arguments else inspect.Parameter.empty
        if start is inspect.Parameter.empty or not low <= start <= high:
            raise ValueError(
                f"Give the argument {name!r} a default between {low} and {high}: the slider starts there."
            )
        starts[name] = start
    if not is_live():
        show.say("*In JupyterLab this cell has a slider; here it stands still.*")
        draw(**starts)
        return
    import ipywidgets  # only here: a stored run never needs it

    def widget(name: str) -> ipywidgets.Widget:
        low, high, step = ranges[name]
        whole = all(isinstance(value, int) for value in (*ranges[name], starts[name]))
        kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
        return kind(value=starts[name], min=low, max=high, step=step, description=name)

    ipywidgets.interact(draw, **{name: widget(name) for name in ranges})


def live(action: Callable[[], Any], *, still: str) -> None:
    """Call ``action`` where a person runs the cell: a timing on the reader's own machine, say.

    The stored version shows the sentence ``still`` (Markdown) instead, because what ``action`` shows does not
    repeat.
    """
    if is_live():
        action()
    else:
        show.say(still)
