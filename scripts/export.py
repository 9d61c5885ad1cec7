"""Same as `kerasseg export`; see `python scripts/export.py --help`."""

import sys

from kerasseg.cli import main

sys.exit(main(["export", *sys.argv[1:]]))
