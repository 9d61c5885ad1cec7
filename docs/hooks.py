"""Hooks of mkdocs: pages that are made from what packages export."""

import importlib
import inspect
import types

import architectures
import guides
from mkdocs.structure.files import File

from kerasseg import zoo

# Packages in the order of work, each with its place among the headings.
SECTIONS = {
    "Networks": ("zoo", "encoders", "blocks", "layers", "detection", "weights"),
    "Data": ("datasets", "data", "augment", "images", "instance"),
    "Training": (
        *("losses", "metrics", "training", "recipes", "plan", "tune", "runs", "tasks"),
    ),
    "Use": (
        *("predict", "evaluate", "report", "export", "viz", "video", "loading"),
        "profiling",
    ),
    "Without training": ("classical", "crf"),
}
# Numbers that a page shows; other constants are named only.
SHOWN = (int, float, str, tuple, dict)


def on_config(config):
    """Add pages to the navigation: guides after the start, reference before the end."""
    parts = [
        {title: [{f"kerasseg.{name}": page(name)} for name in names]}
        for title, names in SECTIONS.items()
    ]
    config.nav[-2:-2] = [{"API reference": ["api/index.md", *parts]}]
    pages = [name for name in guides.files() if name.endswith(".md")]
    config.nav[2:2] = [{"Guides": pages}]
    return config


def on_files(files, config):
    """Make the pages."""
    for name in (name for names in SECTIONS.values() for name in names):
        files.append(File.generated(config, page(name), content=text_of(name)))
    files.append(File.generated(config, "api/index.md", content=overview()))
    for path, content in guides.files().items():
        files.append(File.generated(config, path, content=content))
    costs = architectures.kept()
    for name in (name for name in zoo.BUILDERS if name not in costs):
        costs[name], picture = architectures.measured(name)
        place = f"architectures/{name}.svg"
        files.append(File.generated(config, place, content=picture))
    text = architectures.page(costs)
    files.append(File.generated(config, "architectures.md", content=text))
    return files


def page(name):
    return f"api/{name}.md"


def overview():
    """Page with one line for each package."""
    lines = ["# API reference", ""]
    lines += ["Everything public, from the docstrings. Examples are tests.", ""]
    for title, names in SECTIONS.items():
        lines += [f"## {title}", "", "| package | |", "|---|---|"]
        for name in names:
            first = inspect.getdoc(imported(name)).splitlines()[0]
            lines.append(f"| [`kerasseg.{name}`]({name}.md) | {first} |")
        lines.append("")
    return "\n".join(lines)


def imported(name):
    return importlib.import_module(f"kerasseg.{name}")


def text_of(name):
    """Page of a package: its docstring, then each public name."""
    package, text = imported(name), [f"# kerasseg.{name}", ""]
    text += [f"::: kerasseg.{name}", *options(members=False, heading=False)]
    constants = []
    for public in package.__all__:
        value = getattr(package, public)
        if isinstance(value, types.ModuleType):
            text += [f"::: {value.__name__}", *options(full=True)]
        elif callable(value):
            text.append(f"::: {value.__module__}.{value.__qualname__}")
        else:
            constants.append((public, value))
    if constants:
        text += ["", "## Constants", ""]
        text += [f"- `{public}`: {shown(value)}" for public, value in constants]
    return "\n".join([*text, ""])


def options(*, members=None, heading=True, full=False):
    """Options of mkdocstrings below a `:::` line."""
    lines = ["    options:"]
    if members is not None:
        lines.append(f"      members: {str(members).lower()}")
    if not heading:
        lines += ["      show_root_heading: false", "      show_root_toc_entry: false"]
    if full:
        lines.append("      show_root_full_path: true")
    return [*lines, ""]


def shown(value):
    """A constant in words: the keys of a table, a short value, or its type."""
    if isinstance(value, dict):
        return ", ".join(f"`{key}`" for key in value)
    text = repr(value)
    return f"`{text}`" if len(text) < 100 else f"{type(value).__name__}"
