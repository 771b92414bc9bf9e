"""Does a stored output equal a fresh one? Words and integers to the letter, floats as they are printed.

Machines differ in the last digits of floats. A float may therefore differ by one unit of its last printed
digit, because noise at a rounding edge does that; more only in a cell with the tag ``tolerance=…``.
"""

from __future__ import annotations

import base64
import io
import json
import math
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from nbformat import NotebookNode
from PIL import Image

# A float has a point or an exponent, and stands alone: not a part of a word, of a version number (2.13.0), of
# a section (§4.2), or of a key (02.1).
_FLOAT = re.compile(
    r"""(?<![\w.§])(?<!§[ ])
        (?P<sign>[-+−]?)
        (?P<whole>(?:0|[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d*))
        (?:\.(?P<fraction>\d+)(?:[eE](?P<exponent>[-+]?\d+))? | [eE](?P<bare_exponent>[-+]?\d+))
        (?!\.\d)(?![\w§])""",
    re.VERBOSE,
)
# One pixel in a hundred may look different: a label that moved by a pixel, not a bar that moved.
_IMAGE_BLOCK, _BLOCK_DIFFERENCE, _BLOCKS_THAT_MAY_DIFFER = 8, 0.08, 0.01


def difference(stored: list[NotebookNode], fresh: list[NotebookNode], tolerance: float = 0.0) -> str | None:
    """The first difference between two lists of outputs in words, or None when they are equal.

    ``tolerance`` is the absolute difference that floats may have beyond one unit of their last printed digit.
    """
    if len(stored) != len(fresh):
        return f"{len(stored)} outputs are stored, and the cell gives {len(fresh)}"
    for place, (old, new) in enumerate(zip(map(_parts, stored), map(_parts, fresh), strict=True), start=1):
        if old.keys() != new.keys():
            return f"output {place} is {_names(old)} in the notebook, and {_names(new)} now"
        for kind in old:
            found = _part_difference(kind, old[kind], new[kind], tolerance)
            if found:
                return f"output {place}, {kind}: {found}"
    return None


def text_difference(stored: str, fresh: str, tolerance: float = 0.0) -> str | None:
    """The first difference between two texts, or None. Runs of spaces count as one: columns move."""
    old, new = ([*_tokens(text)] for text in (stored, fresh))
    for a, b in zip(old, new, strict=False):
        if isinstance(a, re.Match) and isinstance(b, re.Match):
            if not _floats_agree(a, b, tolerance):
                return f"{a[0]} is stored, {b[0]} is new"
        elif isinstance(a, re.Match) or isinstance(b, re.Match) or a != b:
            return f"{_show(a)} is stored, {_show(b)} is new"
    if len(old) != len(new):
        return f"the text is {'shorter' if len(new) < len(old) else 'longer'} than the stored one"
    return None


def tolerance_of(cell: NotebookNode) -> float:
    """The tolerance that a cell's tag ``tolerance=…`` grants; 0 without one."""
    tags = [tag for tag in cell.metadata.get("tags", []) if tag.startswith("tolerance=")]
    return float(tags[0].removeprefix("tolerance=")) if tags else 0.0


def _parts(output: NotebookNode) -> dict[str, Any]:
    if output.output_type == "stream":
        return {output.name: output.text}
    if output.output_type == "error":
        return {"error": f"{output.ename}: {output.evalue}"}
    return dict(output.data)


def _names(parts: dict[str, Any]) -> str:
    return " + ".join(sorted(parts))


def _part_difference(kind: str, old: Any, new: Any, tolerance: float) -> str | None:
    if kind == "image/png":
        return _image_difference(old, new)
    if kind.endswith("+json"):
        old, new = (json.dumps(value, sort_keys=True, ensure_ascii=False) for value in (old, new))
    return text_difference(_joined(old), _joined(new), tolerance)


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def _tokens(text: str) -> Iterable[str | re.Match[str]]:
    """The floats of a text, and the text between them."""
    text = re.sub(r"[ \t]+", " ", text)
    end = 0
    for match in _FLOAT.finditer(text):
        yield text[end : match.start()]
        yield match
        end = match.end()
    yield text[end:]


def _value_and_unit(match: re.Match[str]) -> tuple[float, float]:
    exponent = int(match["exponent"] or match["bare_exponent"] or 0)
    digits = match["whole"].replace(",", "")
    sign = "-" if match["sign"] in ("-", "−") else ""
    value = float(f"{sign}{digits}.{match['fraction'] or 0}e{exponent}")
    return value, 10.0 ** (exponent - len(match["fraction"] or ""))


def _floats_agree(a: re.Match[str], b: re.Match[str], tolerance: float) -> bool:
    (x, x_unit), (y, y_unit) = _value_and_unit(a), _value_and_unit(b)
    allowed = max(x_unit, y_unit, tolerance)
    return abs(x - y) <= allowed * (1 + 1e-6) or math.isclose(x, y, rel_tol=1e-12)


def _show(token: str | re.Match[str]) -> str:
    text = token[0] if isinstance(token, re.Match) else token
    return repr(text if len(text) < 60 else f"{text[:40]} … {text[-15:]}")


def _image_difference(old: str, new: str) -> str | None:
    if old == new:
        return None
    a, b = (_grey(image) for image in (old, new))
    if a.shape != b.shape:
        return f"the picture was {a.shape[1]} × {a.shape[0]} pixels, and is {b.shape[1]} × {b.shape[0]}"
    changed = float((np.abs(_blocks(a) - _blocks(b)) > _BLOCK_DIFFERENCE).mean())
    return f"{changed:.1%} of the picture changed" if changed > _BLOCKS_THAT_MAY_DIFFER else None


def _grey(png: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("L"), dtype=np.float32) / 255


def _blocks(grey: np.ndarray) -> np.ndarray:
    """Means of blocks of pixels, so that a line that moved by half a pixel is no difference."""
    rows, columns = (size - size % _IMAGE_BLOCK for size in grey.shape)
    shape = (rows // _IMAGE_BLOCK, _IMAGE_BLOCK, columns // _IMAGE_BLOCK, _IMAGE_BLOCK)
    return grey[:rows, :columns].reshape(shape).mean((1, 3))
