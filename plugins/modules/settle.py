#!/usr/bin/python
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: settle
short_description: End a rollout with a verdict
version_added: 0.1.0
author:
  - convoy.rolling maintainers (@convoy-rolling)
description:
  - Judges from one last look at the fleet whether the rollout converged, writes the verdict into the journal and gives the lease back.
  - A host counts as converged only when it is seen to run the version and to get traffic. It does not fail the task; the role does that
    next.
extends_documentation_fragment:
  - convoy.rolling._attributes
  - convoy.rolling._steps
  - convoy.rolling._steps.FLEET
  - convoy.rolling._steps.OBSERVED
  - convoy.rolling._steps.JOURNAL
  - convoy.rolling._steps.POLICY
  - convoy.rolling._steps.RUN
options:
  contract:
    description:
      - Whether tasks are to run once the fleet has converged. Then the rollout is not ended yet, and RV(contract) says so; after the tasks this
        module is called again without it.
    type: bool
    default: false
  able:
    description: Whether every host that tasks of the user's own may have to run on is in the play.
    type: bool
    default: true
  allow_bad:
    description: Whether what follows a rollout that failed may go back to a bad revision.
    type: bool
    default: false
  history_limit:
    description: How many revisions the journal remembers. What a rollback may need, is open, or keeps a host out is never forgotten.
    type: int
    default: 100
attributes:
  check_mode:
    support: none
    details:
      - The role does not come here in check mode.
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - A rollout ends once.
"""

EXAMPLES = r"""
- name: Settle the rollout
  convoy.rolling.settle:
    run: "{{ planned.ticket }}"
    fleet: "{{ fleet.fleet }}"
    observed: {pools: "{{ pools.results }}", releases: "{{ releases.hosts }}", health: "{{ [health] }}"}
    policy: "{{ policy }}"
    state_url: sqlite:////var/lib/convoy/rollouts.db
  run_once: true
"""

RETURN = r"""
undo:
  description:
    - What is to be undone now, because the rollout halted and C(rollout_on_failure=rollback). Empty when nothing is.
  returned: success
  type: dict
  sample: {}
complaint:
  description: What the run should fail with. Empty when all is as it was wanted.
  returned: success
  type: str
  sample: ""
verdict:
  description: V(converged), V(halted), or V(cancelled) when a person aborted it.
  returned: success
  type: str
  sample: converged
contract:
  description: That the fleet has converged, and the tasks that come last may run now.
  returned: success
  type: bool
  sample: false
hosts:
  description: Where every host stands.
  returned: success
  type: list
  elements: dict
  sample: [{"host": "web1", "verdict": "converged", "why": "it runs 2.4.1", "out": [], "installed": "2.4.1", "running": "2.4.1", "note": ""}]
next:
  description: The command to type next; empty when nothing is left to do.
  returned: success
  type: str
  sample: ""
artifact:
  description: The same for a workflow; who is out of rotation is under C(out).
  returned: success
  type: dict
  sample: {"app": "web", "version": "2.4.1", "rollout": 7, "verdict": "converged", "counts": {"converged": 6}, "out": [], "next": ""}
text:
  description: The end of the rollout as a person reads it.
  returned: success
  type: list
  elements: str
  sample: ['rollout of "web" to 2.4.1: converged: 6 of 6 hosts run 2.4.1 and serve']

progress:
  description: How far the rollout is, for R(convoy.rolling.convergence,ansible_collections.convoy.rolling.convergence_callback); null when
      there is nothing new to say.
  returned: success
  type: dict
  sample: {"app": "web", "version": "2.4.1", "rollout": 7, "total": 6, "updated": 4, "available": 4, "held": [], "trouble": {}, "halted":
      "", "out": [], "verdict": ""}
"""
