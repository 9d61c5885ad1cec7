"""Same as `kerasseg evaluate`; see `python scripts/evaluate.py --help`."""

import sys

from kerasseg.cli import main

sys.exit(main(["evaluate", *sys.argv[1:]]))
