"""Sphinx's settings. `make docs` builds a copy of this folder (`scripts/docs.py`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import eolab

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "eolab"
author = "The eolab developers"
copyright = author  # noqa: A001  Sphinx's word
version = release = str(eolab.__version__)

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
]
templates_path = ["_templates"]
exclude_patterns = ["_templates", "CHANGELOG.md"]  # included by changelog.md

# --- pages ---
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
# Notebooks come with their outputs (`scripts/docs.py` runs them). Of the live views a page can only
# show the picture that they leave; a widget would ask a server of others for its code.
nb_execution_mode = "off"
nb_ipywidgets_js: dict[str, dict[str, str]] = {}
nb_merge_streams = True
nb_mime_priority_overrides = [("html", "text/html", 0), ("html", "image/png", 1)]
copybutton_exclude = ".linenos, .gp, .go"

# --- reference ---
smartquotes = False
default_role = "py:obj"  # in docstrings `name` is a name of Python
autosummary_generate = True
autosummary_imported_members = True
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "inherited-members": True}
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

# --- look: everything a page needs lies beside it ---
html_theme = "pydata_sphinx_theme"
html_title = "eolab"
html_static_path = ["_static"]
html_css_files = ["eolab.css"]
html_show_sourcelink = False
html_copy_source = False
html_show_search_summary = False  # an excerpt is fetched, which a browser forbids for files
html_theme_options = {
    "logo": {"text": "eolab"},
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_toc_level": 2,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
_ALONE = ("index", "start", "gallery", "compare", "glossary", "changelog")
html_sidebars: dict[str, list[str]] = {page: [] for page in _ALONE}

# --- our docstrings are prose: stars, bars and names that end in _ mean themselves ---
_CODE = re.compile(r"(``.*?``|`[^`]*`)")
_MARKUP = re.compile(r"(?<!^)([*|])|(?<=\w)(_)(?=\W|$)")


def _escape(line: str) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    parts = _CODE.split(line.strip())
    parts[::2] = [_MARKUP.sub(lambda found: "\\" + found[0], part) for part in parts[::2]]
    return indent + "".join(parts)


def _as_prose(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    del app, name, obj, options
    if what in {"attribute", "data", "property"} and lines:
        # Napoleon would take what stands before a colon for the type.
        lines[0] = lines[0].replace(": ", " \N{EN DASH} ", 1)
    example = False
    for number, line in enumerate(lines):
        example = bool(line.strip()) and (example or line.lstrip().startswith(">>>"))
        if not example:
            lines[number] = _escape(line)


def setup(app: Sphinx) -> None:
    """Called by Sphinx; ours comes before napoleon's."""
    app.connect("autodoc-process-docstring", _as_prose, priority=400)
