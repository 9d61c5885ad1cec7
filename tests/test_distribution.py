"""The wheel and the source archive hold what people expect in them."""

import importlib.util
import pathlib
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PARTS = ("kerasseg", "zoo", "notebooks", "scripts", "tests")
FILES = ("setup.py", "setup.cfg", "pyproject.toml", "MANIFEST.in", "README.md")
FILES += ("LICENSE", "CHANGELOG.md", "CONTRIBUTING.md")


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """Names in the wheel and in the source archive, without its first folder."""
    if not all(map(importlib.util.find_spec, ("setuptools", "wheel"))):
        pytest.skip("setuptools and wheel are not there.")
    root = tmp_path_factory.mktemp("distribution")
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
    for part in PARTS:
        shutil.copytree(ROOT / part, root / part, ignore=ignore)
    for name in FILES:
        shutil.copy(ROOT / name, root)
    command = [sys.executable, "-W", "ignore", "setup.py", "-q"]
    for kind in ("bdist_wheel", "sdist"):
        subprocess.run([*command, kind], cwd=root, check=True, capture_output=True)
    (wheel,), (source,) = (root / "dist").glob("*.whl"), (root / "dist").glob("*.gz")
    with zipfile.ZipFile(wheel) as file:
        in_wheel = {*file.namelist()}
    with tarfile.open(source) as file:
        in_source = {name.partition("/")[2] for name in file.getnames()}
    return in_wheel, in_source


@pytest.mark.slow
def test_the_wheel_holds_recipes_and_weights(archives):
    wheel, _ = archives
    for path in ROOT.glob("zoo/*/recipe.toml"):
        assert f"kerasseg/recipes/zoo/{path.parent.name}/recipe.toml" in wheel
    for pattern in ("weights/store/*", "weights/*.toml", "recipes/*.toml", "**/*.py"):
        for path in (ROOT / "kerasseg").glob(pattern):
            assert str(path.relative_to(ROOT)) in wheel
    assert not any(name.startswith("tests/") for name in wheel)


@pytest.mark.slow
def test_the_source_archive_holds_what_makes_and_tests_it(archives):
    _, source = archives
    wanted = [*FILES, *(str(path.relative_to(ROOT)) for path in _sources())]
    assert not [name for name in wanted if name not in source]


def _sources():
    for pattern in ("zoo/*/recipe.toml", "notebooks/*.ipynb", "scripts/*.py"):
        yield from ROOT.glob(pattern)
    yield from ROOT.glob("scripts/*.sh")
    yield from ROOT.glob("tests/**/*.py")
    yield from ROOT.glob("kerasseg/**/*.py")
