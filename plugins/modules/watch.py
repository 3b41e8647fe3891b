#!/usr/bin/python
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: watch
short_description: Wait until no rollout of an app is going on
version_added: 0.1.0
author:
  - convoy.rolling maintainers (@convoy-rolling)
description:
  - Says meanwhile how far the rollout is, one line a change. It is read from the journal alone; no host and no load balancer is contacted.
  - It ends at once when none is going on, and when the time is over. Neither is a failure; M(convoy.rolling.status) judges what is found then.
extends_documentation_fragment:
  - convoy.rolling._attributes
  - convoy.rolling._attributes.info_module
  - convoy.rolling._steps
  - convoy.rolling._steps.APP
  - convoy.rolling._steps.JOURNAL
options:
  timeout:
    description: How long to wait, such as V(30m).
    type: str
    default: 30m
"""

EXAMPLES = r"""
- name: Wait for the rollout
  convoy.rolling.watch:
    hosts: "{{ ansible_play_hosts_all }}"
    timeout: 10m
    state_url: sqlite:////var/lib/convoy/rollouts.db
  run_once: true
"""

RETURN = r"""
timed_out:
  description: Whether a rollout was still going on when the time was over.
  returned: success
  type: bool
  sample: false
"""
