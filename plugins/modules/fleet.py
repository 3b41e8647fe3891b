#!/usr/bin/python
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet
short_description: Read what a rollout is about to act on, and check it
version_added: 0.1.0
author:
  - convoy.rolling maintainers (@convoy-rolling)
description:
  - Reads the C(rollout_*) variables of every host, checks them, and returns them as one value for the later steps.
  - Anything wrong is one sentence that names the host, the variable, what was given and what is allowed. Nothing has been touched then.
extends_documentation_fragment:
  - convoy.rolling._attributes
  - convoy.rolling._steps
options:
  hosts:
    description: The hosts of the fleet.
    type: list
    elements: str
    required: true
  version:
    description: The version to roll to. Names that move, such as V(latest), are refused. V((restart\)) for a restart.
    type: str
  look_only:
    description: Only look at the fleet; neither O(version) nor an artifact is needed.
    type: bool
    default: false
  reboot:
    description: Whether a restart is one of the hosts, and not of their processes only.
    type: bool
    default: false
  policy:
    description: The limits of the rollout, checked here too.
    type: dict
    default: {}
  settings:
    description: The role's other variables, such as C(rollout_keep) and C(rollout_hooks), each under its name; checked here, and nothing else.
    type: dict
    default: {}
  back:
    description: Read the fleet for going back, to a version that the journal knows. Without it O(version) is the target.
    type: dict
    suboptions:
      to_revision:
        description: The number of the revision to go back to. Without it, and without C(rollout_version) on the command line, the newest
          that converged on another version before the rollout that is undone.
        type: str
        default: ""
      scope:
        description: Which hosts are to go back; see O(convoy.rolling.plan#module:scope).
        type: str
        choices: [touched, fleet]
        default: touched
      allow_bad:
        description: Whether a revision may be gone back to that was rolled back itself, or that never converged.
        type: bool
        default: false
      allow_contracted:
        description: Whether it may be gone back though the tasks of C(rollout_hooks.contract) have run since.
        type: bool
        default: false
      undo:
        description: The number of the rollout that failed and is undone by itself; V(0) is the newest that went forward.
        type: int
        default: 0
      why:
        description: Why, for the history.
        type: str
        default: ""
      state_url:
        description: The database that holds the journal.
        type: str
        required: true
  lock_wait:
    description:
      - How long to wait for another rollout of the app to end, before anything is looked at. A freeze is never waited on.
    type: str
    default: 0s
  state_url:
    description:
      - The database that holds the journal, as a URL that SQLAlchemy knows. Without it, in check mode and with O(look_only) nobody is waited
        for.
    type: str
attributes:
  check_mode:
    support: full
    details:
      - It waits for nobody then.
  diff_mode:
    support: none
  idempotent:
    support: full
    details:
      - It only reads.
"""

EXAMPLES = r"""
- name: Read the fleet
  convoy.rolling.fleet:
    hosts: "{{ ansible_play_hosts_all }}"
    look_only: true
  run_once: true
  register: fleet
"""

RETURN = r"""
back:
  description: What O(back) comes to; the target's version and digest, what it undoes and why. Empty without it.
  returned: success
  type: dict
  sample: {}
seen:
  description: The fence of the app's lease, for O(convoy.rolling.plan#module:seen); null when nobody asked.
  returned: success
  type: int
  sample: 2
app:
  description: The app.
  returned: success
  type: str
  sample: web
version:
  description: The version to roll to; null when there was none.
  returned: success
  type: str
  sample: 2.4.1
fleet:
  description:
    - The fleet, for the other steps. It is a file beside Ansible's temporary ones, readable by the user alone, and gone with the run.
  returned: success
  type: str
  sample: /home/deploy/.ansible/tmp/ansible-local-4711/convoy-fleet-4713.json
calls:
  description: One call of M(convoy.rolling.lb_member_info) a load balancer, and where it runs.
  returned: success
  type: list
  elements: dict
  sample: [{"name": "lb1", "provider": "haproxy", "address": "/run/haproxy/admin.sock", "host": "lb1", "become": true, "pools": ["web"]}]
targets:
  description: Targets of M(convoy.rolling.health_check) that are asked from the controller, named after their hosts.
  returned: success
  type: list
  elements: dict
  sample: [{"name": "web1", "extract": {"version": "version"}}]
targets_on_hosts:
  description: Targets that are asked from the hosts themselves.
  returned: success
  type: list
  elements: dict
  sample: []
"""
