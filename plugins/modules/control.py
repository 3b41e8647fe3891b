#!/usr/bin/python
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: control
short_description: Pause, resume, approve or abort a rollout from elsewhere, freeze an app, or break a lease
version_added: 0.1.0
author:
  - convoy.rolling maintainers (@convoy-rolling)
description:
  - Leaves a mark in the journal, with who, when and why. The rollout finds it at its next gate, within two seconds when it waits there.
  - No host and no load balancer is contacted.
  - What is so already is left as it is, says who made it so, and changes nothing.
extends_documentation_fragment:
  - convoy.rolling._attributes
  - convoy.rolling._steps
  - convoy.rolling._steps.JOURNAL
options:
  order:
    description:
      - V(pause) lets the live rollout finish the hosts it has out and then wait; its C(rollout_progress_deadline) does not run meanwhile.
      - V(resume) lets it go on.
      - V(approve) lets a wave begin that waits for it, or will; see O(wave).
      - V(abort) lets it finish the hosts it has out and then end, as V(cancelled). It works while paused, too.
      - These four fail when no rollout is going on.
      - V(lock) freezes the app. Any new rollout is refused at once with who froze it and why, until V(unlock). A rollout that is going on is not
        touched.
      - V(unlock) shows who holds the app, and frees it when O(rollout_id) names that. It changes nothing when nobody does.
    type: str
    required: true
    choices: [pause, resume, approve, abort, lock, unlock]
  hosts:
    description: Hosts of the app. Their C(rollout_app), which must be one, says which app is meant.
    type: list
    elements: str
    required: true
  reason:
    description: Why, for whoever meets it. O(order=lock) needs it.
    type: str
    default: ""
  rollout_id:
    description:
      - What to free with O(order=unlock), the number of the rollout that holds the lease, or V(freeze).
      - The controller of that rollout moves nothing any more, and the next rollout begins with the hosts it left. Where its process is known to have
        ended, the next rollout needs no unlock.
    type: str
    default: ""
  wave:
    description: The wave to approve with O(order=approve). Without it, the first that is not approved yet.
    type: str
    default: ""
attributes:
  check_mode:
    support: none
  diff_mode:
    support: none
  idempotent:
    support: partial
    details:
      - After O(order=abort) the rollout ends, and then there is nothing to abort.
"""

EXAMPLES = r"""
- name: Let no rollout of the app begin
  convoy.rolling.control:
    order: lock
    hosts: "{{ ansible_play_hosts_all }}"
    reason: audit until Monday
    state_url: sqlite:////var/lib/convoy/rollouts.db
  run_once: true
"""

RETURN = r"""
text:
  description: What came of it, in one sentence.
  returned: success
  type: str
  sample: "app 'web': rollout 7 to 2.4.1 pauses at its next gate; go on with `ansible-playbook -i hosts.yml convoy.rolling.resume`."
"""
