"""Same as `kerasseg train`; see `python scripts/train.py --help`."""

import sys

from kerasseg.cli import main

sys.exit(main(["train", *sys.argv[1:]]))
