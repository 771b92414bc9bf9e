"""Small Sphinx extension: what a page needs beyond the theme.

Alt texts of outputs, headings that search can link to, intervals in one piece, Sphinx's own search off, and
nothing loaded that no page needs.
"""

import base64
import hashlib
import json
import re
from pathlib import PurePosixPath
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)


def give_images_alt_text(app: Sphinx, doctree: nodes.document) -> None:
    """Give each output image the alt text of its output's metadata; warn where there is none.

    myst-nb reads width and height from there, but no alt text. It names an image file by the SHA-256 of its
    bytes: that is how an image finds its output again.
    """
    source = app.env.doc2path(app.env.docname)
    if source.suffix != ".ipynb":
        return
    texts = _alt_texts(json.loads(source.read_text(encoding="utf-8")))
    for image in doctree.findall(nodes.image):
        image.setdefault("alt", texts.get(PurePosixPath(image["uri"]).stem, ""))
        if not image["alt"]:
            logger.warning(
                "an image has no alt text; give it one, for example show.figure(fig, alt=…)", location=image
            )


def _alt_texts(notebook: dict[str, Any]) -> dict[str, str]:
    texts = {}
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            for mime in ("image/png", "image/jpeg"):
                if mime in output.get("data", {}):
                    encoded = "".join(output["data"][mime])
                    name = hashlib.sha256(base64.b64decode(encoded)).hexdigest()
                    texts[name] = output["metadata"].get(mime, {}).get("alt", "")
    return texts


def name_headings(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Give each heading an id of its own: Sphinx names the section, and Pagefind links to headings only."""
    if "body" in context:
        pattern = r'(<section[^>]* id="([^"]+)"[^>]*>\s*(?:<span[^>]*></span>)*)<h([2-6])>'
        context["body"] = re.sub(pattern, r'\1<h\3 id="\2-heading">', context["body"])


# An interval as text shows it, such as [0.079, 0.089]; tags, code and scripts are passed over.
_INTERVAL = re.compile(
    r"<(pre|code|script|style|textarea)\b.*?</\1>|<[^>]*>"
    r"|(?P<interval>\[[-−+]?\d[\d.,]*(?: ?%)?, [-−+]?\d[\d.,]*(?: ?%)?\])",
    re.DOTALL,
)


def keep_intervals_whole(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Mark each interval, so that the style sheet keeps its two ends on one line."""
    if "body" in context:
        context["body"] = _INTERVAL.sub(
            lambda match: (
                f'<span class="interval">{match["interval"]}</span>' if match["interval"] else match[0]
            ),
            context["body"],
        )


# The theme's script that turns icons into SVG: 1.6 MB a page. Its style sheet and font draw the same icons.
_ICON_SCRIPT = re.compile(r'\s*<script[^>]*src="[^"]*/scripts/fontawesome\.js[^"]*"></script>')
# Names that hide the words which a reader sees: a button must be called what is written on it.
_WRONG_NAMES = {
    '<summary aria-label="Toggle hidden content">': "<summary>",
    'search-button__button pst-js-only" title="Search" aria-label="Search"': (
        'search-button__button pst-js-only" title="Search"'
    ),
}


def finish_pages(app: Sphinx, error: Exception | None) -> None:
    """Take out of every page what the theme and other extensions put in and no setting switches off."""
    if error:
        return
    for path in app.outdir.glob("*.html"):
        page = _ICON_SCRIPT.sub("", path.read_text(encoding="utf-8"))
        for wrong, right in _WRONG_NAMES.items():
            page = page.replace(wrong, right)
        path.write_text(page, encoding="utf-8")
    for path in app.outdir.glob("_static/scripts/fontawesome.js*"):
        path.unlink()


def switch_off_sphinx_search(app: Sphinx) -> None:
    """Pagefind searches this book; Sphinx's own index would only be downloaded for nothing."""
    app.builder.search = False


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", switch_off_sphinx_search)
    app.connect("doctree-read", give_images_alt_text)
    app.connect("html-page-context", name_headings)
    app.connect("html-page-context", keep_intervals_whole)
    app.connect("build-finished", finish_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
