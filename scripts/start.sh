#!/usr/bin/env bash
# From nothing to a trained model: makes .venv, installs, trains a U-Net on shapes.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # `sh scripts/start.sh`
set -euo pipefail
. "$(dirname "$0")/environment.sh"
kerasseg train "$@"
echo
echo "In this shell, for all that follows: . .venv/bin/activate"
