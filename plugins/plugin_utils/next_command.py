# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command to type next, from the command that is running."""

from __future__ import annotations

import shlex

from ansible import context

from ansible_collections.convoy.rolling.plugins.plugin_utils.model import RESTART, RolloutRecord, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.verdict import Conclusion


def next_command(rollout: RolloutRecord, conclusion: Conclusion) -> str:
    """What brings the fleet on from here; empty when nothing is left to do."""
    if conclusion.verdict is Verdict.CONVERGED:
        return ""
    if rollout.back:
        return back_again(rollout.back.revision)
    # Whoever still waits for its turn can't have failed on this version, however it is.
    waiting = {record.host for record in rollout.hosts if record.verdict is None}
    return same_again(rollout.version, any(state.verdict is Verdict.FAILED and state.host not in waiting for state in conclusion.hosts))


def same_again(version: str, failed: bool) -> str:
    """The running command, for once more.

    :param failed: the version did not come up healthy somewhere. It will not do so on the second try: another one has to be named. A
        restart is done once more.
    """
    if version == RESTART:
        return command_for()
    return f"{command_for()} -e rollout_version={'A_GOOD_VERSION' if failed else version}"


def back_again(revision: int | None) -> str:
    """The command that finishes a rollback."""
    to = f" -e rollout_to_revision={revision}" if revision is not None else ""
    return f"{command_for('convoy.rolling.rollback')}{to}"


def command_for(playbook: str | None = None) -> str:
    """The running command, or the one that plays another playbook over the same inventory.

    Only the inventory and the playbook are repeated: other arguments may hold secrets.
    """
    words = ["ansible-playbook"]
    for inventory in context.CLIARGS.get("inventory") or ():
        words += ["-i", inventory]
    words += [playbook] if playbook else list(context.CLIARGS.get("args") or ("convoy.rolling.rolling",))
    return shlex.join(words)
