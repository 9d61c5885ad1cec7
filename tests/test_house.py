"""Size and style of the code: parameters, first lines of docstrings, lengths."""

import ast
import pathlib

ROOT = pathlib.Path(__file__).parents[1] / "kerasseg"
FILES = sorted(ROOT.rglob("*.py"))
MOST_PARAMETERS = 8  # but for builders and encoders, whose options are the network's
# One for each field of their options, see tests/predict/test_options.py.
OF_OPTIONS = {"predict/objects.py: instances", "predict/pixels.py: class_ids"}
MOST_LINES = 350


def functions(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def name(path):
    return str(path.relative_to(ROOT))


def test_functions_take_few_parameters():
    found = []
    for path in FILES:
        for node in functions(path):
            if isinstance(node, ast.ClassDef) or node.name == "__init__":
                continue
            builds = path.parent.name in ("zoo", "encoders") and node.name[0] != "_"
            builds = builds or f"{name(path)}: {node.name}" in OF_OPTIONS
            number = len(node.args.posonlyargs + node.args.args + node.args.kwonlyargs)
            if number > MOST_PARAMETERS and not builds:
                found.append(f"{name(path)}: {node.name} takes {number}")
    assert not found


def test_docstrings_begin_with_a_noun_or_a_verb():
    found = []
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in [tree, *functions(path)]:
            if (ast.get_docstring(node) or "").split(" ")[0] in ("What", "How"):
                found.append(f"{name(path)}: {getattr(node, 'name', 'module')}")
    assert not found


def test_files_stay_short():
    lengths = {name(path): len(path.read_text().splitlines()) for path in FILES}
    assert not {path: n for path, n in lengths.items() if n > MOST_LINES}
