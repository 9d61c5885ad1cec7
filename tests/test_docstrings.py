"""Examples in docstrings run, and every public name has a docstring."""

import doctest
import importlib
import inspect
import pathlib

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[1]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "kerasseg").rglob("*.py")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_run_and_public_names_are_documented(name):
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
