#!/usr/bin/python
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gate
short_description: Ask whether hosts may leave rotation now
version_added: 0.1.0
author:
  - convoy.rolling maintainers (@convoy-rolling)
description:
  - The one place that decides it, from the journal, lease, budget, free places and the newest view of every pool. It answers admit, wait
    (it then waits itself) or halt, with the reason in words.
  - What a person said with M(convoy.rolling.control) is found here, within a second. A paused rollout waits, and its progress deadline does not run.
  - Between waves it waits while the hosts of the one before bake, and looks after them. It asks the conditions of the rollout, and waits for
    a person where one has to approve a wave.
  - Hosts that failed and are put back, or that rehearse the way back, are told what they do next before anything else is asked.
  - Whoever is admitted is in the journal, with the state every load balancer had for it, before the task ends.
extends_documentation_fragment:
  - convoy.rolling._attributes
  - convoy.rolling._steps
  - convoy.rolling._steps.FLEET
  - convoy.rolling._steps.POLICY
  - convoy.rolling._steps.JOURNAL
  - convoy.rolling._steps.RUN
options:
  hooks:
    description: The moments that the user has a hook for.
    type: list
    elements: str
    choices: [before_drain, after_drain, before_deploy, after_deploy, before_verify, after_verify, before_enable, after_enable]
    default: []
  probe_options:
    description: Options of M(convoy.rolling.health_check), C(headers) and C(validate_certs), for the probes of a wave that bakes.
    type: dict
    default: {}
  own_deploy:
    description: Whether the user deploys with tasks of their own.
    type: bool
    default: false
  hosts:
    description: The hosts that ask, in the order they should go.
    type: list
    elements: str
    required: true
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
      - Time passes.
"""

EXAMPLES = r"""
- name: Ask the gate
  convoy.rolling.gate:
    run: "{{ planned.ticket }}"
    fleet: "{{ fleet.fleet }}"
    hosts: "{{ ansible_play_batch }}"
    policy: "{{ rollout_policy }}"
    state_url: sqlite:////var/lib/convoy/rollouts.db
  run_once: true
  register: gate
"""

RETURN = r"""
answer:
  description: V(admit) or V(halt). While a person has the rollout paused, it waits. V(wait) when a look at a wave that bakes takes tasks on other
      hosts; they are in RV(steps).
  returned: success
  type: str
  sample: admit
steps:
  description: The steps that the admitted hosts take, each a task file of the role; empty when nobody is admitted.
  returned: success
  type: list
  elements: dict
  sample: [{"tasks": "drain", "moment": ""}, {"tasks": "hook", "moment": "after_drain"}]
wave:
  description: The wave that bakes, when the answer is to wait; or empty.
  returned: success
  type: str
  sample: ""
reason:
  description: Why, in words.
  returned: success
  type: str
  sample: 2 of 2 places
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
  description: Whether hosts that asked still wait for a place, or the last wave is not over.
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
