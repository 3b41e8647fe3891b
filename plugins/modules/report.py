#!/usr/bin/python
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Write the report of a rollout as one HTML page
version_added: 0.1.0
author:
  - convoy.rolling maintainers (@convoy-rolling)
description:
  - Verdict and why, what to type next, what failed, versions in service, capacity and requests over time, every host's steps, and the plan.
  - It is made from the journal alone, of any rollout that is in it. No host and no load balancer is contacted.
  - The page needs no network and no script. Its charts need the Python library pygal 3 on the controller; without it, a sentence says so.
extends_documentation_fragment:
  - convoy.rolling._attributes
  - convoy.rolling._steps
  - convoy.rolling._steps.APP
  - convoy.rolling._steps.JOURNAL
options:
  path:
    description: The file on the controller; with a slash at its end a directory, and the file C(APP-NUMBER.html). The working directory when empty.
    type: str
    default: ""
  rollout_id:
    description: The number of the rollout; the newest when empty.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - The page is written each time.
"""

EXAMPLES = r"""
- name: Write the report of the newest rollout
  convoy.rolling.report:
    hosts: "{{ ansible_play_hosts_all }}"
    path: /var/www/rollouts/
    state_url: sqlite:////var/lib/convoy/rollouts.db
  run_once: true
"""

RETURN = r"""
path:
  description: The file.
  returned: success
  type: str
  sample: /var/www/rollouts/web-7.html
rollout:
  description: The number of the rollout.
  returned: success
  type: int
  sample: 7
state:
  description: How the rollout ended, or what it is doing.
  returned: success
  type: str
  sample: converged
text:
  description: The same in one sentence.
  returned: success
  type: str
  sample: 'rollout 7 of "web" to 2.4.1: converged: /var/www/rollouts/web-7.html'
"""
