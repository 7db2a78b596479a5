"""What a run uses once it has begun to ask: imported while the services answer, instead of before the first request.

Nothing is in here. A module that cannot be imported is found out at once, and not by the look-up that needs it: but for
what only some runs look up, an installation and the origin of what is published.
"""

import release_state.observe.dependent
import release_state.observe.git.workflow_files
import release_state.observe.github.run_log
import release_state.observe.index.index
import release_state.observe.next_version.calculation
import release_state.observe.status_page
import release_state.plan.recovery
import release_state.report.document
import release_state.report.page
import release_state.report.terminal
import release_state.verdict.verdict  # noqa: F401 - all of them
