"""Same as `kerasseg predict`; see `python scripts/predict.py --help`."""

import sys

from kerasseg.cli import main

sys.exit(main(["predict", *sys.argv[1:]]))
