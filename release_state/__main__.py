"""`python -m release_state` is the console command."""

import os
import sys

# Python puts the current folder first on the path: nothing in it may be imported, not even by the import below.
try:
    here = os.getcwd()  # noqa: PTH109 - pathlib would be such an import
except OSError:  # the folder is gone; main says so
    here = ""
sys.path[:] = [path for path in sys.path if path not in ("", here)]

from release_state.cli import main  # noqa: E402

raise SystemExit(main())
