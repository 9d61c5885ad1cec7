#!/bin/sh
# Install the lowest versions that setup.cfg allows into an environment of its own, and
# run the quick tests there.
#   sh scripts/lowest.sh [ENVIRONMENT [PYTEST ARGUMENTS]]
set -e
cd "$(dirname "$0")/.."
environment=${1:-.venv-lowest}
[ $# -gt 0 ] && shift
python3.11 -m venv "$environment"
# "numpy>=1.26" -> "numpy==1.26.*": the lowest series, with its bug fixes.
"$environment/bin/python" - > "$environment/lowest.txt" <<'PYTHON'
import configparser
import re

config = configparser.ConfigParser()
config.read("setup.cfg")
for line in config["options"]["install_requires"].split():
    name, version = re.fullmatch(r"([\w.-]+)>=([\d.]+)", line).groups()
    print(f"{name}=={version}.*")
PYTHON
cat "$environment/lowest.txt"
"$environment/bin/pip" install -q -r "$environment/lowest.txt" pytest pytest-xdist hypothesis
"$environment/bin/pip" install -q --no-deps -e .
# Old matplotlib, say, with a new pyparsing: deprecations among packages are not ours.
"$environment/bin/python" -m pytest -q -m "not slow" -W ignore::DeprecationWarning "$@"
