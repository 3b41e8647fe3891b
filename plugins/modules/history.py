#!/usr/bin/python
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: history
short_description: Show the revisions of an app
version_added: 0.1.0
author:
  - convoy.rolling maintainers (@convoy-rolling)
description:
  - Reads from the journal what was rolled out, when, by whom, how it ended and why, the newest last; or one revision in full.
  - No host and no load balancer is contacted.
extends_documentation_fragment:
  - convoy.rolling._attributes
  - convoy.rolling._attributes.info_module
  - convoy.rolling._steps
  - convoy.rolling._steps.APP
  - convoy.rolling._steps.JOURNAL
options:
  revision:
    description: The number of a revision to show in full.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Read the history
  convoy.rolling.history:
    hosts: "{{ ansible_play_hosts_all }}"
    state_url: sqlite:////var/lib/convoy/rollouts.db
  run_once: true
"""

RETURN = r"""
app:
  description: The app.
  returned: success
  type: str
  sample: web
revisions:
  description: Every revision that is remembered, the oldest first. Times are seconds since the epoch.
  returned: success
  type: list
  elements: dict
  sample: [{"number": 2, "version": "2.4.1", "started": 1790000000.0, "ended": 1790000060.0, "verdict": "converged", "reason": "", "cause": "CVE",
      "by": "ada on ops1, process 4711", "digest": null, "origin": {"user": "ada", "controller": "ops1"}, "back": null, "bad": ""}]
revision:
  description: The one revision that was asked for, with its plan and its hosts; V(null) when none was.
  returned: success
  type: dict
  sample: null
text:
  description: The same as a person reads it.
  returned: success
  type: list
  elements: str
  sample: ["REVISION  VERSION  WHEN                     BY           DURATION  VERDICT    CHANGE-CAUSE"]
"""
