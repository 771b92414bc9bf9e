"""Small Sphinx extension: alt texts of outputs, headings that search can link to, Sphinx's own search off."""

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


def switch_off_sphinx_search(app: Sphinx) -> None:
    """Pagefind searches this book; Sphinx's own index would only be downloaded for nothing."""
    app.builder.search = False


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", switch_off_sphinx_search)
    app.connect("doctree-read", give_images_alt_text)
    app.connect("html-page-context", name_headings)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
