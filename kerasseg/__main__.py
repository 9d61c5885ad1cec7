"""`python -m kerasseg` is the command `kerasseg`."""

import sys

from kerasseg.cli import main

if __name__ == "__main__":
    sys.exit(main())
