#!/usr/bin/env bash
# From nothing to a trained model: makes .venv, installs, trains a U-Net on shapes.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
kerasseg train "$@"
echo
echo "In this shell, for all that follows: . .venv/bin/activate"
