#!/usr/bin/env bash
# Builds .venv-parity with the PyTorch references (CPU) and Keras' other backends, and
# compares outputs with them. Errors go to zoo/references.json and zoo/README.md.
# torchvision has no CPU wheel of its own, so it and what needs it come without theirs.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ ! -x .venv-parity/bin/python ]; then
    python -m venv .venv-parity
    pip() { .venv-parity/bin/python -m pip install --quiet "$@"; }
    pip torch==2.13.0
    pip --no-deps torchvision==0.28.0 timm segmentation_models_pytorch==0.6.0
    pip numpy pillow safetensors huggingface_hub tqdm pyyaml keras==3.15.1 jax
    pip transformers
    # Without mmcv's compiled operators and mmengine's OpenCV with windows.
    pip --no-deps mmsegmentation==1.2.2 mmcv-lite==2.1.0 mmengine
    pip opencv-python-headless addict yapf termcolor rich matplotlib prettytable
    pip scipy ftfy regex
fi
if [ ! -x .venv-stardist/bin/python ]; then
    python -m venv .venv-stardist
    .venv-stardist/bin/python -m pip install --quiet stardist tensorflow
fi
export KERASSEG_PARITY_RESULTS=zoo/references.json
python -m pytest -m parity tests/parity "$@"
python scripts/zoo_table.py
