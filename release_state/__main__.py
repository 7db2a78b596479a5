"""`python -m release_state` is the console command."""

import os
import sys

# Python puts the current folder first: what lies there must not be imported, not even by the import below.
sys.path[:] = [path for path in sys.path if path not in ("", os.getcwd())]  # noqa: PTH109 - pathlib would be such an import

from release_state.cli import main  # noqa: E402

raise SystemExit(main())
