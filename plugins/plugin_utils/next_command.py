# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command to type next, from the command that is running."""

from __future__ import annotations

import shlex

from ansible import context

from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.verdict import Conclusion


def next_command(version: str, conclusion: Conclusion) -> str:
    """What brings the fleet on from here; empty when nothing is left to do.

    Only the inventory and the playbook are repeated from the running command: other arguments may hold secrets.
    """
    if conclusion.verdict is Verdict.CONVERGED:
        return ""
    words = ["ansible-playbook"]
    for inventory in context.CLIARGS.get("inventory") or ():
        words += ["-i", inventory]
    words += list(context.CLIARGS.get("args") or ("convoy.rolling.rolling",))
    # A version that did not come up healthy will not do so on the second try: another one has to be named.
    failed = any(state.verdict is Verdict.FAILED for state in conclusion.hosts)
    target = "A_GOOD_VERSION" if failed else version
    return f"{shlex.join(words)} -e rollout_version={target}"
