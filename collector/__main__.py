"""`python -m collector` is `fengsui-collector`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
