#!/usr/bin/python
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: record
short_description: Write into the journal what a step did to its hosts
version_added: 0.1.0
author:
  - convoy.rolling maintainers (@convoy-rolling)
description:
  - Turns the results of a step into what they mean for each host, writes it, and returns which hosts go on and what the next step needs.
  - A host that failed or could not be reached is recorded and stays out of rotation. The task itself does not fail for it.
extends_documentation_fragment:
  - convoy.rolling._attributes
  - convoy.rolling._steps
  - convoy.rolling._steps.FLEET
  - convoy.rolling._steps.JOURNAL
  - convoy.rolling._steps.RUN
options:
  hosts:
    description: The hosts that the step had.
    type: list
    elements: str
    required: true
  step:
    description: The step whose results these are. V(tasks) stands for tasks of the user's, such as a hook, V(looked) for a look at a wave that bakes,
      V(expand) and V(contract) for tasks of the user's that run once for the fleet.
    type: str
    required: true
    choices: [staged, drained, restored, deployed, tasks, verified, back, looked, expand, contract]
  moves:
    description: The results of M(convoy.rolling.lb_member), each with its call under C(item).
    type: list
    elements: dict
    default: []
  releases:
    description: What RV(convoy.rolling.releases#module:hosts) returned.
    type: dict
    default: {}
  reached:
    description: What RV(convoy.rolling.releases#module:hosts) returned of a look at the hosts after a person's own tasks.
    type: dict
    default: {}
  way_back:
    description: With O(step=staged), what to do when a host can't go back. V(require) halts the rollout before anybody leaves rotation.
    type: str
    choices: [require, warn, ignore]
    default: ignore
  health:
    description: The results of M(convoy.rolling.health_check), whose targets are named after their hosts.
    type: list
    elements: dict
    default: []
  pools:
    description: With O(step=looked), the results of M(convoy.rolling.lb_member_info), one a load balancer, each with its call under C(item).
    type: list
    elements: dict
    default: []
  wave:
    description: With O(step=looked), the wave that bakes.
    type: str
    default: ""
  threshold:
    description: With O(step=looked), in how many looks in a row a host must be found bad to have failed.
    type: int
    default: 1
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
- name: Record who is verified
  convoy.rolling.record:
    run: "{{ planned.ticket }}"
    fleet: "{{ fleet.fleet }}"
    hosts: "{{ gate.hosts }}"
    step: verified
    health: "{{ [verified] }}"
    state_url: sqlite:////var/lib/convoy/rollouts.db
  run_once: true
"""

RETURN = r"""
restore:
  description: The calls of M(convoy.rolling.lb_member) that put back what must not stay half out, in the shape of RV(drain).
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
