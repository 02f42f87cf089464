"""How the pages are built: Sphinx with MyST and furo, and nothing from the network."""

from importlib.metadata import version as version_of
from typing import Any

from docutils.nodes import Element, TextElement
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

import videosdk_transcripts
from videosdk_transcripts import client, testing
from videosdk_transcripts._files import download
from videosdk_transcripts._jobs import follow

project = "videosdk-transcripts"
copyright = "the videosdk-transcripts authors"
author = "the videosdk-transcripts authors"
release = version = version_of("videosdk-transcripts")

# The client loads these when they are used, and its annotations name them.
vars(client).update(
    Download=videosdk_transcripts.Download,
    Downloader=download.Downloader,
    FetchedText=videosdk_transcripts.FetchedText,
    Results=videosdk_transcripts.Results,
    Follower=videosdk_transcripts.Follower,
    Since=follow.Since,
    WebhookEvent=videosdk_transcripts.WebhookEvent,
    WriteResult=videosdk_transcripts.WriteResult,
)

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinxext.opengraph",
]
exclude_patterns = ["_build"]
myst_heading_anchors = 3
# A single backtick in a docstring is a name or a value, and seldom one with a page.
default_role = "literal"

autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
# One parameter per line, unless the whole signature is short.
maximum_signature_line_length = 60
napoleon_numpy_docstring = False
napoleon_use_ivar = True

nitpick_ignore_regex = [
    # Names of other projects lead to their own pages, and those are not fetched for a build.
    ("py:.*", r"(?!videosdk_transcripts\.)[a-z_]+(\.\w+)+"),
    (
        "py:.*",
        r"videosdk_transcripts\.(.*\.)?(TranscriptionT|RowT|HasFilesT|T|T_co|PageIterator|Secret|AcquiresTurns|_Client)",
    ),
    # A name for a type, which has no page of its own.
    ("py:.*", "Fault"),
]

REPOSITORY = "https://github.com/videosdk-transcripts/videosdk-transcripts"

html_theme = "furo"
html_title = f"videosdk-transcripts {release}"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/favicon.svg"
html_theme_options = {
    "source_repository": REPOSITORY,
    "source_branch": "main",
    "source_directory": "docs/",
}
# Copies what a reader types, without prompts and output.
copybutton_exclude = ".linenos, .gp, .go"
# The description of a page, for search engines and link previews, is its first paragraph.
ogp_site_url = "https://videosdk-transcripts.readthedocs.io/"
ogp_social_cards = {"enable": False}


def find_public(
    app: Sphinx, env: BuildEnvironment, node: Element, shown: TextElement
) -> Element | None:
    """Lead every name of a public class to its one place, wherever the name is defined."""
    name, page = node["reftarget"].rpartition(".")[2], node["refdoc"]
    modules = (module for module in (videosdk_transcripts, testing) if name in module.__all__)
    if (module := next(modules, None)) is None:
        return None
    target = f"{module.__name__}.{name}"
    return env.domains["py"].resolve_xref(env, page, app.builder, "obj", target, node, shown)


def keep_colon(
    _app: Sphinx, what: str, _name: str, _obj: Any, _options: Any, lines: list[str]
) -> None:
    """Keep napoleon from taking the words before a colon for the type of an attribute."""
    if what in ("attribute", "property") and lines:
        lines[0] = lines[0].replace(": ", " \N{EN DASH} ")


def setup(app: Sphinx) -> None:
    """Connect both."""
    app.connect("missing-reference", find_public)
    # Before napoleon, which has the priority 500.
    app.connect("autodoc-process-docstring", keep_colon, priority=400)
