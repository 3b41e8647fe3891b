#!/usr/bin/python
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: step
short_description: Take one step of a batch and record what came of it
version_added: 0.1.0
author:
  - convoy.rolling maintainers (@convoy-rolling)
description:
  - Does what the controller can do by itself for all hosts of a batch, writes what came of it into the journal, and returns which hosts go on
    and what the next step needs. It is M(convoy.rolling.record) with the work that it records.
  - What needs a task elsewhere, such as a load balancer on another host or a probe that starts on the host itself, is done by
    M(convoy.rolling.lb_member) and M(convoy.rolling.health_check) before, and comes as O(moves) and O(health).
  - A host that failed or could not be reached is recorded and stays out of rotation. The task itself does not fail for it.
extends_documentation_fragment:
  - convoy.rolling._attributes
  - convoy.rolling._steps
  - convoy.rolling._steps.FLEET
  - convoy.rolling._steps.JOURNAL
  - convoy.rolling._steps.RUN
options:
  hosts:
    description: The hosts of the batch that go on.
    type: list
    elements: str
    required: true
  step:
    description:
      - V(drained) takes the hosts out of every pool, and puts back who cannot leave everywhere.
      - V(deployed) switches to the staged release and restarts the process, on hosts that do not run it yet.
      - V(verified) asks the processes for the version; before, it keeps out who is out, should a load balancer have forgotten it.
      - V(back) brings the hosts back into every pool, and keeps out who is out and not proven in the same way.
    type: str
    required: true
    choices: [drained, deployed, verified, back]
  options:
    description:
      - With O(step=drained) and O(step=back) further options of M(convoy.rolling.lb_member), such as C(soft).
      - With O(step=verified) those of M(convoy.rolling.health_check), such as C(interval).
    type: dict
    default: {}
  move_timeout:
    description: How long a member may take to be entirely back, or to be out once more, such as V(2m).
    type: str
  patience:
    description: How long a host may take to switch and restart before it counts as unreachable, such as V(10m).
    type: str
  moves:
    description: The results of M(convoy.rolling.lb_member) for calls that are not near, each with its call under C(item).
    type: list
    elements: dict
    default: []
  health:
    description: The results of M(convoy.rolling.health_check) for probes that are not near, whose targets are named after their hosts.
    type: list
    elements: dict
    default: []
attributes:
  check_mode:
    support: none
    details:
      - The role does not come here in check mode.
  diff_mode:
    support: none
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Verify
  convoy.rolling.step:
    step: verified
    run: "{{ planned.ticket }}"
    fleet: "{{ fleet.fleet }}"
    hosts: "{{ gate.hosts }}"
    options:
      success_threshold: 3
      interval: 1s
      deadline: 2m
    state_url: sqlite:////var/lib/convoy/rollouts.db
  run_once: true
"""

RETURN = r"""
restore:
  description: The calls of M(convoy.rolling.lb_member) that put back what must not stay half out and are not near, in the shape of RV(drain).
  returned: success
  type: list
  elements: dict
  sample: []
hosts:
  description: The hosts that go on to the next step.
  returned: success
  type: list
  elements: str
  sample: [web1, web2]
drain:
  description: The calls of M(convoy.rolling.lb_member) that take these hosts out of every pool, one a pool, with its C(floor).
  returned: success
  type: list
  elements: dict
  sample: [{"name": "lb1", "provider": "haproxy", "address": "/run/haproxy/admin.sock", "host": "lb1", "become": true, "pool": "web",
      "members": ["web1"], "floor": 4, "floor_by": "members", "master": null, "before": [{"name": "web1", "admin": "ready", "weight": 10,
      "initial_weight": 10, "agent": null, "follows": null}]}]
enable:
  description: The calls that bring these hosts back, in the shape of RV(drain).
  returned: success
  type: list
  elements: dict
  sample: []
keep_out:
  description: The calls that keep out, or take out again, hosts that are out and not proven, in the shape of RV(drain).
  returned: success
  type: list
  elements: dict
  sample: []
deploy:
  description: Those of RV(hosts) that do not run the version yet.
  returned: success
  type: list
  elements: str
  sample: [web1]
targets:
  description: Targets of M(convoy.rolling.health_check) that pass only on the version, asked from the controller, without their URLs.
  returned: success
  type: list
  elements: dict
  sample: [{"name": "web1", "conditions": ["to_string(version) == '2.4.1'"]}]
targets_on_hosts:
  description: The same, asked from the hosts themselves.
  returned: success
  type: list
  elements: dict
  sample: []
halted:
  description: Why the rollout was halted; empty as long as it was not.
  returned: success
  type: str
  sample: ""
again:
  description: Whether hosts that asked still wait for a place.
  returned: success
  type: bool
  sample: false
legs:
  description: Host -> the part of its way that it is on, for those of RV(hosts) that rehearse the way back or are put back after they failed.
  returned: success
  type: dict
  sample: {}
toward:
  description: Host -> the version that it is on its way to, for those of RV(hosts) for which that is not the rollout's.
  returned: success
  type: dict
  sample: {}
asked_all:
  description: Whether the gate has been asked for every host.
  returned: success
  type: bool
  sample: false
progress:
  description: How far the rollout is, for R(convoy.rolling.convergence,ansible_collections.convoy.rolling.convergence_callback); null when
      there is nothing new to say.
  returned: success
  type: dict
  sample: {"app": "web", "version": "2.4.1", "rollout": 7, "total": 6, "updated": 4, "available": 4, "held": [], "trouble": {}, "halted":
      "", "out": [], "verdict": ""}
"""
