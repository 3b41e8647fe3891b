#!/usr/bin/python
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: plan
short_description: Plan a rollout and open it
version_added: 0.1.0
author:
  - convoy.rolling maintainers (@convoy-rolling)
description:
  - Decides from what was observed who is rolled in which batches, who is skipped or held and why, and what must stay in service meanwhile.
  - Then takes the lease of the app, so that only one rollout is live, and writes the plan into the journal. A small process renews the lease from
    then on; it ends with the controller.
extends_documentation_fragment:
  - convoy.rolling._attributes
  - convoy.rolling._steps
  - convoy.rolling._steps.FLEET
  - convoy.rolling._steps.OBSERVED
  - convoy.rolling._steps.POLICY
  - convoy.rolling._steps.JOURNAL
options:
  version:
    description: The version to roll to. V((restart\)) starts every process anew with the version it has.
    type: str
    required: true
  sha256:
    description: The digest of the artifact, for the journal.
    type: str
  cause:
    description: Why, for the journal.
    type: str
    default: ""
  anew:
    description: Whether a restart begins with every host, where it would go on with one that did not end.
    type: bool
    default: false
  contract:
    description: Whether there are tasks for when the fleet has converged; where only these are left, a rollout is opened for them.
    type: bool
    default: false
  allow_bad:
    description: Whether a host that fails may go back to a version that is bad.
    type: bool
    default: false
  allow_contracted:
    description: Whether it may go back to one that tasks of C(rollout_hooks.contract) have passed by since.
    type: bool
    default: false
  plan_only:
    description: Only plan; take no lease and write nothing.
    type: bool
    default: false
  seen:
    description:
      - What RV(convoy.rolling.fleet#module:seen) returned before the fleet was observed. If another rollout came in since, the plan is out of date, and
        the task fails.
    type: int
  plan_path:
    description: A file on the controller to write RV(plan) into, as JSON. Not written in check mode.
    type: path
    default: ""
  plan_hash:
    description: The hash of a plan that was looked at; another plan is refused, with what changed.
    type: str
    default: ""
  outlets:
    description:
      - Where the rollout is told of, as the role's variables C(rollout_events_path), C(rollout_metrics_path), C(rollout_report_path),
        C(rollout_pushgateway) and C(rollout_webhook), each under its name.
    type: dict
    default: {}
  approve:
    description: Names of waves that need no further approval, as a list or with commas between them.
    type: raw
    default: []
  back:
    description: Where the fleet goes back to; what RV(convoy.rolling.fleet#module:back) returned. Empty for a rollout that goes forward.
    type: dict
    default: {}
  scope:
    description: Which hosts go back with O(back). V(touched) is those that the rollouts since then took out, those that are out still, and
      those that came since on a version that is undone. V(fleet) is all.
    type: str
    choices: [touched, fleet]
    default: touched
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - Each run opens a rollout of its own, unless there is nobody to roll.
"""

EXAMPLES = r"""
- name: Plan without doing anything
  convoy.rolling.plan:
    fleet: "{{ fleet.fleet }}"
    version: 2.4.1
    observed: {pools: "{{ pools.results }}", releases: "{{ releases.hosts }}", health: "{{ [health] }}"}
    policy: "{{ rollout_policy }}"
    state_url: sqlite:////var/lib/convoy/rollouts.db
    plan_only: true
  run_once: true
"""

RETURN = r"""
way_back:
  description: The version that the rollout would be rolled back to; empty when the journal knows none.
  returned: success
  type: str
  sample: 2.4.0
sha256:
  description: The digest that the artifact must have; empty when none was given. On the way back it is that of the revision gone back to.
  returned: success
  type: str
  sample: ""
plan:
  description:
    - The plan, whole, with its C(hash) and what it comes to. C(not_now) is why it may not start at this time, or empty.
    - C(forecast) has for each pool the least that serves, in which batch, and C(best) and C(worst) seconds by past rollouts.
  returned: success
  type: dict
  sample: {"app": "web", "version": "2.4.1", "batches": [["web1", "web2"], ["web3"]], "skipped": {}, "held": {}, "unreachable": {}, "limit":
      2, "floors": {"lb1/web": 1}, "scopes": [], "weighed": false, "waves": [], "overridden": [],
      "hash": "0d1cf5ae16a2-5b1c8a77e0d4-9fd2c1b3a6e8", "not_now": "", "forecast":
      {"capacity": [{"place": "lb1/web", "lowest": 1, "of": 3, "batch": 1}], "best": 36.0, "worst": 81.5, "hosts_timed": 12, "forks": 5,
      "widest": 2}}
text:
  description: The plan as a person reads it.
  returned: success
  type: list
  elements: str
  sample: ['rollout of "web" to 2.4.1: 3 of 3 hosts in 2 batches']
versions:
  description: Of a restart, host -> the version that it keeps.
  returned: success
  type: dict
  sample: {}
expanded:
  description: That an earlier rollout, which this one goes on with, has run what is to run once before anybody is drained.
  returned: when the rollout was opened
  type: bool
  sample: false
strategy:
  description: The strategy of the play that rolls; V(host_pinned) for a window.
  returned: success
  type: str
  sample: linear
live:
  description: Whether a rollout was opened. It is not when there is nobody to roll, in check mode, and with O(plan_only).
  returned: success
  type: bool
  sample: true
ticket:
  description: What the later steps show to prove that their rollout is the live one.
  returned: when a rollout was opened
  type: dict
  sample: {"app": "web", "rollout": 7, "fence": 3}
order:
  description: The hosts to roll, in order.
  returned: success
  type: list
  elements: str
  sample: [web1, web2, web3]
hosts:
  description: RV(order), or one host that has nothing to do, for a play that needs a host.
  returned: success
  type: list
  elements: str
  sample: [web1, web2, web3]
batches:
  description: The sizes of the batches, for C(serial).
  returned: success
  type: list
  elements: int
  sample: [2, 1]
passes:
  description: How many probes in a row make a host ready.
  returned: success
  type: int
  sample: 3

progress:
  description: How far the rollout is, for R(convoy.rolling.convergence,ansible_collections.convoy.rolling.convergence_callback); null when
      there is nothing new to say.
  returned: success
  type: dict
  sample: {"app": "web", "version": "2.4.1", "rollout": 7, "total": 6, "updated": 4, "available": 4, "held": [], "trouble": {}, "halted":
      "", "out": [], "verdict": ""}
"""
