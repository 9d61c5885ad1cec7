"""Examples in docstrings run, and every public name has a docstring."""

import doctest
import importlib
import inspect
import pathlib
import pydoc
import re

import numpy as np
import pytest

import kerasseg

ROOT = pathlib.Path(__file__).parents[1]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "kerasseg").rglob("*.py")
)
EXTRAS = {
    "kerasseg.demo.page": "gradio",
    "kerasseg.serving.app": "starlette",
    "kerasseg.serving.metrics": "prometheus_client",
    "kerasseg.serving.server": "uvicorn",
}  # modules that need more than the rest


@pytest.mark.parametrize("name", MODULES)
def test_examples_run_and_public_names_are_documented(name):
    if name in EXTRAS:
        pytest.importorskip(EXTRAS[name])
    module = importlib.import_module(name)
    assert module.__doc__
    for public, value in vars(module).items():
        if inspect.isfunction(value) or inspect.isclass(value):
            own = value.__module__ == name and not public.startswith("_")
            assert not own or inspect.getdoc(value), f"{name}.{public}"
    failed, _ = doctest.testmod(
        module, extraglobs={"np": np}, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert not failed


@pytest.mark.parametrize("part", kerasseg.__all__)
def test_help_lists_what_a_package_has(part):
    package = getattr(kerasseg, part)
    if not hasattr(package, "__path__"):
        return
    text = pydoc.plain(pydoc.render_doc(package))
    for name in package.__all__:
        assert re.search(rf"\b{name}\b", text), name
    for table in ("BUILDERS", "ENCODERS", "LOSSES", "DATASETS"):
        for name in getattr(package, table, ()):
            assert f"\n    {name}(" in text or f"class {name}(" in text, name
