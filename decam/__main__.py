"""Runs the command line: python -m decam."""

import sys

from decam.cli import main

if __name__ == "__main__":
    sys.exit(main(program="python -m decam"))
