"""`python -m release_state` is the console command."""

from release_state.cli import main

raise SystemExit(main())
