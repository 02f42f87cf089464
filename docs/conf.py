"""How the pages are built: Sphinx with MyST and furo, and nothing from the network."""

import builtins
import html
import inspect
import re
import sys
from importlib.metadata import version as version_of
from typing import Any

import attrs
from docutils.nodes import (
    Element,
    Text,
    TextElement,
    document,
    literal_block,
    paragraph,
    raw,
    reference,
)
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.ext.autodoc.preserve_defaults import DefaultValue
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.typing import stringify_annotation

import videosdk_transcripts
from videosdk_transcripts import client, errors, export, testing
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
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinxext.opengraph",
]
exclude_patterns = ["_build"]
myst_heading_anchors = 3
# A single backtick in a docstring is a name or a value: a link if it has an entry.
default_role = "py:obj"

autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
# The client imports `TranscriptionEvent`, whose method `fetch` therefore has a protocol for it.
autodoc_type_aliases = {"_Client": "TranscriptsClient"}
toc_object_entries_show_parents = "hide"
# The tables of names link to the pages by topic, instead of to a page for each name.
autosummary_generate = False
# One parameter per line, unless the whole signature is short.
maximum_signature_line_length = 60
napoleon_numpy_docstring = False
napoleon_use_ivar = True

nitpick_ignore_regex = [
    # A name in backticks that has no entry, such as one of a parameter.
    ("py:obj", ".*"),
    # Names of other projects lead to their own pages, and those are not fetched for a build.
    ("py:.*", r"(?!videosdk_transcripts\.)[a-z_]+(\.\w+)+"),
    (
        "py:.*",
        r"videosdk_transcripts\.(.*\.)?(TranscriptionT|RowT|HasFilesT|T|T_co|PageIterator|AcquiresTurns)",
    ),
    # `distributed.Client`, in an annotation.
    ("py:.*", "Client"),
]

PUBLIC_MODULES = (videosdk_transcripts, testing, export)
FIRST_VERSION = "0.1.0"

REPOSITORY = "https://github.com/videosdk-transcripts/videosdk-transcripts"

html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = f"videosdk-transcripts {release}"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = [(name, {"defer": "defer"}) for name in ("tables.js", "wrapping.js")]
html_favicon = "_static/favicon.svg"
html_theme_options = {
    "source_repository": REPOSITORY,
    "source_branch": "main",
    "source_directory": "docs/",
}
# Copies what a reader types: the lines after a prompt, without it and without their output.
copybutton_exclude = ".linenos"
copybutton_prompt_text = "$ "
ogp_site_url = "https://videosdk-transcripts.readthedocs.io/"
ogp_social_cards = {"enable": False}


def find_public(
    app: Sphinx, env: BuildEnvironment, node: Element, shown: TextElement
) -> Element | None:
    """Link a public name, or a member such as `Pager.stats`, to its entry."""
    wanted, page = node["reftarget"], node["refdoc"]
    # A name in an annotation has the module that defines it.
    for name in (wanted, wanted.rpartition(".")[2]):
        for module in PUBLIC_MODULES:
            if name.partition(".")[0] in module.__all__:
                target = f"{module.__name__}.{name}"
                domain = env.domains["py"]
                return domain.resolve_xref(env, page, app.builder, "obj", target, node, shown)
    return None


def attribute_types(cls: type) -> dict[str, str]:
    """Return the types of the attributes of a class, as written in the class or its constructor."""
    types: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if base.__module__.partition(".")[0] == videosdk_transcripts.__name__:
            module = ModuleAnalyzer.for_module(base.__module__)
            module.analyze()
            for (owner, name), annotation in module.annotations.items():
                if owner == base.__name__:
                    value = eval(annotation, vars(sys.modules[base.__module__]))  # noqa: S307 - ours
                    types[name] = stringify_annotation(value, "smart")
    return types


def list_attributes(
    _app: Sphinx, what: str, _name: str, obj: Any, _options: Any, lines: list[str]
) -> None:
    """Make an entry of each attribute that the docstring of a class describes."""
    if what != "class" or "Attributes:" not in lines:
        return
    types = attribute_types(obj)
    start = lines.index("Attributes:")
    entries: list[str] = []
    for line in lines[start + 1 :]:
        if found := re.fullmatch(r"    (\w+): (.*)", line):
            name, text = found.groups()
            entries += ["", f".. attribute:: {name}"]
            entries += [f"    :type: {types[name]}"] if name in types else []
            entries += ["", f"    {text[0].upper()}{text[1:]}"]
        else:
            entries.append(line.removeprefix("    "))
    lines[start:] = entries


def describe_data(
    _app: Sphinx, what: str, name: str, _obj: Any, _options: Any, lines: list[str]
) -> None:
    """Describe a constant by the text below it, instead of by the docstring of its type."""
    package, _, public = name.rpartition(".")
    if what == "data":
        for module, content in list(sys.modules.items()):
            if module.startswith(package) and public in vars(content):
                texts = ModuleAnalyzer.for_module(module).find_attr_docs()
                lines[:] = texts.get(("", public), lines)


def keep_colon(
    _app: Sphinx, what: str, _name: str, _obj: Any, _options: Any, lines: list[str]
) -> None:
    """Keep napoleon from taking the words before a colon for the type of an attribute."""
    if what == "property" and lines:
        lines[0] = lines[0].replace(": ", " \N{EN DASH} ")


def add_version(
    _app: Sphinx, _what: str, name: str, _obj: Any, _options: Any, lines: list[str]
) -> None:
    """Add the first version to a public name whose docstring has no version of its own."""
    module, _, public = name.rpartition(".")
    is_public = any(module == each.__name__ and public in each.__all__ for each in PUBLIC_MODULES)
    if is_public and not any(line.startswith(".. versionadded::") for line in lines):
        end = lines.index("Attributes:") if "Attributes:" in lines else len(lines)
        lines[end:end] = ["", f".. versionadded:: {FIRST_VERSION}", ""]


def emphasize_questions(
    _app: Sphinx, what: str, _name: str, _obj: Any, _options: Any, lines: list[str]
) -> None:
    """Let the two questions that each error answers stand out."""
    if what == "exception":
        lines[:] = [re.sub(r"^(Retried|What to do): ", r"**\1:** ", line) for line in lines]


def list_errors_once(app: Sphinx, _domain: str, _what: str, content: addnodes.desc_content) -> None:
    """Keep errors out of the table of contents, which has the heading of each."""
    if app.env.docname == "reference/errors":
        content.parent["no-contents-entry"] = True


def show_defaults(_app: Sphinx, function: Any, _is_bound: bool) -> None:
    """Show the defaults of a data class, whose constructor attrs generates."""
    attributes = getattr(function, "__globals__", {}).get("attr_dict", {})
    signature = inspect.signature(function)
    parameters = []
    for parameter in signature.parameters.values():
        if parameter.name in attributes and parameter.default is not parameter.empty:
            default = attributes[parameter.name].default
            value = default.factory() if isinstance(default, attrs.Factory) else default
            text = repr(value)
            if callable(value):
                text = f"{value.__module__.partition('.')[0]}.{value.__name__}"
            parameter = parameter.replace(default=DefaultValue(text))  # noqa: PLW2901
        parameters.append(parameter)
    if attributes:
        function.__signature__ = signature.replace(parameters=parameters)


def keep_builtins(_app: Sphinx, doctree: document) -> None:
    """Keep Sphinx from taking a built-in type for an attribute of that name, such as `bytes`."""
    for node in list(doctree.findall(addnodes.pending_xref)):
        if node.get("refdomain") == "py" and hasattr(builtins, node["reftarget"]):
            node.replace_self(node.children)


def link_tree(app: Sphinx, doctree: document) -> None:
    """Link each name in the tree of errors to its entry."""
    if app.env.docname == "reference/errors":
        tree = next(iter(doctree.findall(literal_block)))
        linked = [
            reference("", part, refid=part.lower(), internal=True)
            if part in errors.__all__
            else Text(part)
            for part in re.split(r"(\w+)", tree.astext().strip())
        ]
        tree.replace_self(literal_block("", "", *linked, classes=["tree"]))


def fold_tests(_app: Sphinx, page: document) -> None:
    """Fold paragraphs that list tests, and keep them out of the search, which would find names."""
    for node in list(page.findall(paragraph)):
        if node.astext().startswith("Tests: "):
            node["classes"].append("no-search")
            place = node.parent.index(node)
            node.parent.insert(place + 1, raw("", "</details>", format="html"))
            opening = '<details class="tests"><summary>Tests</summary>'
            node.parent.insert(place, raw("", opening, format="html"))


def describe(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], page: document | None
) -> None:
    """Describe a page by its first paragraph, for search engines and link previews."""
    if page is None:
        return
    text = " ".join(next(page.findall(paragraph)).astext().split())
    context["meta"] = {**(context["meta"] or {}), "og:description": text}
    context["metatags"] += f'<meta name="description" content="{html.escape(text)}">'


def setup(app: Sphinx) -> None:
    """Connect all of them."""
    app.connect("missing-reference", find_public)
    app.connect("doctree-read", keep_builtins)
    app.connect("doctree-read", link_tree)
    app.connect("object-description-transform", list_errors_once)
    app.connect("doctree-read", fold_tests)
    # Before sphinxext-opengraph, which takes the beginning of the page, tables included.
    app.connect("html-page-context", describe, priority=400)
    # After autodoc_preserve_defaults, which shows the source of a default.
    app.connect("autodoc-before-process-signature", show_defaults, priority=600)
    # Before napoleon, which has the priority 500.
    app.connect("autodoc-process-docstring", describe_data, priority=200)
    app.connect("autodoc-process-docstring", add_version, priority=300)
    app.connect("autodoc-process-docstring", list_attributes, priority=400)
    app.connect("autodoc-process-docstring", keep_colon, priority=400)
    app.connect("autodoc-process-docstring", emphasize_questions, priority=400)
