"""Sphinx settings of the book. The source tree is made by book/build.py; run `python -m book build`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

project = "Recall with large models"
author = "the course authors"
copyright = "text CC BY 4.0, code MIT"
language = "en"
extensions = [
    "myst_nb",
    "sphinx_copybutton",
    "sphinx_togglebutton",
    "book.page_changes",
]
exclude_patterns = []

myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath"]
myst_heading_anchors = 3
myst_dmath_double_inline = True
nb_execution_mode = "off"
nb_render_markdown_format = "myst"
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
nb_ipywidgets_js = {}  # widgets need a kernel; the static result beside them is what a page shows
# The parts of MathJax that formulas here need, instead of one file with all of them (0.76 MB, not 1.17 MB).
mathjax_path = "mathjax/startup.js"
mathjax3_config = {"loader": {"load": ["input/tex", "output/chtml", "a11y/assistive-mml"]}}

html_theme = "sphinx_book_theme"
html_title = project
html_favicon = "static/favicon.svg"
html_static_path = ["static"]
html_css_files = ["book.css"]
html_js_files = [
    ("search.js", {"defer": "defer"}),
    ("ledger.js", {"defer": "defer"}),
    ("toc.js", {"defer": "defer"}),
]
html_additional_pages = {"search": "search.html"}
html_sidebars = {"**": ["navbar-logo.html", "search-button-field.html", "sbt-sidebar-nav.html"]}
html_theme_options = {
    "home_page_in_toc": True,
    "navbar_persistent": [],
    "primary_sidebar_end": [],
    "search_bar_text": "Search, in English or 中文",
    "show_toc_level": 2,
    "toc_title": "On this page",
    "use_fullscreen_button": False,
}
html_copy_source = True
html_last_updated_fmt = None
html_use_index = False
html_domain_indices = False
templates_path = ["templates"]
copybutton_exclude = ".linenos, .gp, .go"
