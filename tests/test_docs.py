"""The documentation: its code runs, its commands exist, its links lead somewhere."""

import html.parser
import importlib
import importlib.util
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tomllib
import urllib.parse

import pytest

import kerasseg
from kerasseg import datasets, images, recipes
from kerasseg.weights import catalog

ROOT = pathlib.Path(__file__).parents[1]
DOCS = ROOT / "docs"
# `kerasseg.cli.main` is its function.
cli = importlib.import_module("kerasseg.cli.main")
PAGES = sorted(DOCS.rglob("*.md"))
# <!-- needs: a b --> before a block names modules of extras that it imports.
BLOCK = re.compile(r"(?:<!-- needs: ([\w ]+) -->\n)?^```(\w+)\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def name(path):
    return str(path.relative_to(ROOT))


def blocks(page, language):
    """(modules needed, line before the code, code) of the blocks of a language."""
    text = page.read_text(encoding="utf-8")
    for needs, found, code in BLOCK.findall(text):
        if found == language:
            line = text[: text.index(code)].count("\n")
            yield needs.split(), line, code


def commands(page):
    """Command lines of `kerasseg` in the blocks of a page, as lists of words."""
    for _, _, code in blocks(page, "bash"):
        for line in code.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["kerasseg"]:
                yield words[1:]


@pytest.fixture
def folder_of_a_reader(tmp_path, monkeypatch):
    """A folder with the files that pages speak of, as the working folder."""
    samples = datasets.shapes(10, size=(64, 80), seed=9)
    for index in range(len(samples)):
        sample = samples[index]
        images.write_image(tmp_path / f"my_folder/images/{index}.png", sample["image"])
        images.write_mask(tmp_path / f"my_folder/labels/{index}.png", sample["label"])
    for path in ("photo.jpg", "photos/a.jpg", "photos/b.jpg"):
        images.write_image(tmp_path / path, samples[0]["image"])
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_block_is_of_a_language_that_is_checked(page):
    text = page.read_text(encoding="utf-8")
    languages = {language for _, language, _ in BLOCK.findall(text)}
    assert languages <= {"python", "bash", "toml", "text"}
    assert text.count("\n```") == 2 * len(BLOCK.findall(text))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*np.object:FutureWarning")  # of tf2onnx
@pytest.mark.parametrize("page", PAGES, ids=name)
def test_python_runs_from_the_top_of_a_page_to_its_end(page, folder_of_a_reader):
    namespace = {"__name__": "page"}
    for needs, line, code in blocks(page, "python"):
        if all(importlib.util.find_spec(module) for module in needs):
            # Empty lines before, so that errors name the line of the page.
            exec(compile("\n" * line + code, str(page), "exec"), namespace)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_can_be_parsed(page):
    for words in commands(page):
        cli._parser(words).parse_args(words)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=name)
def test_options_of_recipes_and_names_exist(page, tmp_path):
    for words in commands(page):
        given = cli._parser(words).parse_args(words)
        if hasattr(given, "set") and words[0] != "convert":  # sets a reader
            default = recipes.FOLDER if given.data else recipes.SHAPES
            form = [f"data.dataset={given.format}"] if given.format else []
            recipes.read(getattr(given, "recipe", None) or default, [*form, *given.set])
        if getattr(given, "weights", None):
            assert given.weights in catalog.names()
    for _, _, code in blocks(page, "toml"):
        tables = tomllib.loads(recipes.FOLDER.read_text()) | tomllib.loads(code)
        tables = {table: tables.get(table, {}) for table in recipes.TABLES}
        path = tmp_path / "recipe.toml"
        path.write_text(recipes.dump(tables))
        recipes.read(path)


@pytest.mark.slow
def test_diagrams_and_costs_that_are_kept_belong_together():
    from kerasseg import zoo

    costs = json.loads((DOCS / "architectures/costs.json").read_text())
    drawn = {path.stem for path in DOCS.glob("architectures/*.svg")}
    # The others are drawn when the site is built.
    assert set(costs) == drawn <= set(zoo.BUILDERS)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["fast_scnn", "unet"])
def test_diagram_is_that_of_the_model(architecture, monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    import architectures
    import diagrams

    model = architectures.build(architecture)
    costs = json.loads(architectures.COSTS.read_text())
    assert costs[architecture]["parameters"] == model.count_params()
    path = DOCS / f"architectures/{architecture}.svg"
    assert path.read_text() == diagrams.svg(model), "python docs/architectures.py"


def anchors(page):
    """Anchors of the headings of a page, as Markdown makes them."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    words = [re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings]
    return {re.sub(r"[-\s]+", "-", heading) for heading in words}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=name)
def test_links_between_files_lead_somewhere(page):
    generated = {DOCS / f"api/{part}.md" for part in ("index", *kerasseg.__all__)}
    generated |= {DOCS / "architectures.md", DOCS / "guides/index.md"}
    for link in LINK.findall(BLOCK.sub("", page.read_text(encoding="utf-8"))):
        address = urllib.parse.urlsplit(link)
        if address.scheme:
            assert address.scheme == "https", link
            continue
        target = (page.parent / address.path).resolve() if address.path else page
        assert target.exists() or target in generated, link
        if address.fragment and target.exists():
            assert address.fragment in anchors(target), link


class Page(html.parser.HTMLParser):
    """Links, what is loaded, and anchors of a page of the site."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loaded, self.anchors = set(), set(), {""}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.anchors |= {attrs[key] for key in ("id", "name") if attrs.get(key)}
        if tag == "a" and attrs.get("href"):
            self.links.add(attrs["href"])
        loads = tag == "link" and attrs.get("rel") in ("stylesheet", "icon")
        if loads or attrs.get("src"):
            self.loaded.add(attrs["href"] if loads else attrs["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built with warnings as errors: dict from path to Page."""
    for module in ("mkdocs", "material", "mkdocstrings"):
        pytest.importorskip(module)
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", out]
    done = subprocess.run(
        [*map(str, command)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {path: Page(path) for path in sorted(out.rglob("*.html"))}


@pytest.mark.slow
def test_links_of_the_site_lead_somewhere_and_nothing_is_loaded_from_elsewhere(site):
    for path, page in site.items():
        for link in page.links | page.loaded:
            address = urllib.parse.urlsplit(link)
            if address.scheme or address.netloc:
                assert link not in page.loaded, (path, link)
                continue
            place = urllib.parse.unquote(address.path)
            # The page for unknown addresses is served anywhere: its links are absolute.
            base = path.parent if not place.startswith("/") else min(site).parent
            target = (base / place.lstrip("/")).resolve() if place else path
            target = target / "index.html" if target.is_dir() else target
            assert target.exists(), (path, link)
            if address.fragment and target in site:
                fragment = urllib.parse.unquote(address.fragment)
                assert fragment in site[target].anchors, (path, link)


@pytest.mark.slow
def test_every_public_name_is_in_the_reference(site):
    found = set().union(*(page.anchors for page in site.values()))
    for part in set(kerasseg.__all__) - {"names"}:
        package = getattr(kerasseg, part)
        for public in package.__all__:
            value = getattr(package, public)
            if callable(value):
                assert f"{value.__module__}.{value.__qualname__}" in found
