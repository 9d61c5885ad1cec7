"""The commands that begin from nothing, as far as they can be tried without it."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[1]


@pytest.fixture
def clone(tmp_path):
    """The scripts in a folder without an environment, and a PATH of one's own."""
    (tmp_path / "scripts").mkdir()
    for name in ("environment.sh", "start.sh", "test.sh"):
        shutil.copy(ROOT / "scripts" / name, tmp_path / "scripts")
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "dirname", "rm", "cmp", "cp", "env"):
        os.symlink(shutil.which(name), tools / name)
    return tmp_path


def run(clone, script, **pythons):
    for name, text in pythons.items():
        path = clone / "tools" / name
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)
    return subprocess.run(
        [clone / "scripts" / script],
        env={"PATH": str(clone / "tools")},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("script", ["start.sh", "test.sh"])
def test_an_old_python_is_named(clone, script):
    found = run(
        clone, script, python3='[ "$1" = --version ] && echo "Python 3.9.2"; exit 1'
    )
    assert found.returncode == 1
    assert "Python 3.11, 3.12 or 3.13 is needed. Found: Python 3.9.2" in found.stderr


def test_no_python_is_named(clone):
    found = run(clone, "start.sh")
    assert found.returncode == 1
    assert "Python 3.11, 3.12 or 3.13 is needed. Found: none. Install" in found.stderr
    assert "command not found" not in found.stderr


def test_an_environment_of_an_old_python_is_named_and_kept(clone):
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(
        '#!/bin/bash\n[ "$1" = --version ] && echo "Python 3.9.2"\n[ -z "$2" ]'
    )
    python.chmod(0o755)
    found = run(clone, "start.sh")
    assert found.returncode == 1 and python.exists()
    assert ".venv is of Python 3.9.2" in found.stderr
    assert "rm -r .venv" in found.stderr


def test_sh_will_do(clone):
    found = subprocess.run(
        [shutil.which("sh"), clone / "scripts" / "start.sh"],
        env={"PATH": str(clone / "tools")},
        capture_output=True,
        text=True,
    )
    assert "Python 3.11, 3.12 or 3.13 is needed" in found.stderr


def test_a_missing_venv_module_is_named_with_its_package(clone):
    found = run(clone, "start.sh", python3='[[ "$2" != *ensurepip* ]]')
    assert found.returncode == 1
    assert "apt install python3-venv" in found.stderr


def test_ci_runs_the_commands_of_the_readme():
    readme, ci = ((ROOT / x).read_text() for x in ("README.md", ".ci/run"))
    for name in ("start", "test"):
        assert re.search(rf"<!-- {name} -->\n```bash\nscripts/{name}\.sh", readme)
        assert f'eval "$(readme {name})"' in ci
