"""Run a command, and say on its standard error how many MiB its largest process took: `python -I -S peak.py COMMAND…`.

A process that is started begins with the peak of the one that starts it: this one is small.
"""

import os
import sys

process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(process, 0)
sys.stderr.write(f"\n{used.ru_maxrss / 1024}\n")
sys.exit(os.waitstatus_to_exitcode(status))
