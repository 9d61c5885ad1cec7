#!/usr/bin/env bash
# From nothing to passed tests: makes .venv, installs, runs what a change usually breaks.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # `sh scripts/test.sh`
set -euo pipefail
. "$(dirname "$0")/environment.sh"
python -m pytest -q -n 2 -m "not slow" "$@"
echo "The other tests: . .venv/bin/activate && python -m pytest -q -n 2 -m slow"
