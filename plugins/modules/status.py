#!/usr/bin/python
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: status
short_description: Show what every host has installed and runs, and what every load balancer says of it
version_added: 0.1.0
author:
  - convoy.rolling maintainers (@convoy-rolling)
description:
  - Judges one look at the fleet against a version, the one given, that of the newest rollout, or the one that most hosts run.
  - Fails unless the fleet converged when O(converged) is set.
  - RV(state) is what to decide by. V(timed_out) is no failure of the rollout, which goes on.
extends_documentation_fragment:
  - convoy.rolling._attributes
  - convoy.rolling._steps
  - convoy.rolling._steps.FLEET
  - convoy.rolling._steps.OBSERVED
  - convoy.rolling._steps.JOURNAL
options:
  version:
    description: The version to compare with.
    type: str
  converged:
    description: Fail unless every host runs the version and serves.
    type: bool
    default: false
  watched:
    description: Fail when the fleet did not converge and no rollout is going on, or when O(timed_out).
    type: bool
    default: false
  timed_out:
    description: What RV(convoy.rolling.watch#module:timed_out) returned before the fleet was observed.
    type: bool
    default: false
  path:
    description: A file on the controller to write the status into, as JSON. Not written in check mode.
    type: path
    default: ""
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
    details:
      - It only reads.
"""

EXAMPLES = r"""
- name: Show the fleet
  convoy.rolling.status:
    fleet: "{{ fleet.fleet }}"
    observed: {pools: "{{ pools.results }}", releases: "{{ releases.hosts }}", health: "{{ [health] }}"}
    state_url: sqlite:////var/lib/convoy/rollouts.db
  run_once: true
"""

RETURN = r"""
schema:
  description: What these values are, down to RV(hosts), after C(docs/convoy-1.schema.json).
  returned: always
  type: str
  sample: convoy.rolling/status/1
app:
  description: The app.
  returned: always
  type: str
  sample: web
state:
  description:
    - V(progressing) or V(paused) while a rollout is going on, V(timed_out) when it still was after all the time there was to watch it, V(converged) or
      V(halted) when none is.
  returned: always
  type: str
  sample: converged
reason:
  description: Why it is, or is not, converged.
  returned: always
  type: str
  sample: 6 of 6 hosts run 2.4.1 and serve
timed_out:
  description: Whether RV(state) is V(timed_out).
  returned: always
  type: bool
  sample: false
rollout:
  description: The newest rollout; null when there was none.
  returned: always
  type: dict
  sample: {"number": 7, "version": "2.4.1", "verdict": "converged", "live": false, "paused": false, "started": "2026-11-21T16:23:05.120Z", "ended":
      "2026-11-21T16:25:40.800Z"}
version:
  description: The version that the fleet was compared with.
  returned: always
  type: str
  sample: 2.4.1
verdict:
  description: V(converged) or V(halted).
  returned: always
  type: str
  sample: converged
hosts:
  description: Where every host stands.
  returned: always
  type: list
  elements: dict
  sample: [{"host": "web1", "verdict": "converged", "why": "it runs 2.4.1", "out": [], "installed": "2.4.1", "running": "2.4.1", "note": ""}]
members:
  description: What every load balancer says of every member of its pools.
  returned: always
  type: list
  elements: dict
  sample: [{"balancer": "lb1", "pool": "web", "name": "web1", "host": "web1", "admin": "ready", "in_service": true, "weight": 1, "status":
      "UP"}]
text:
  description: The same as a person reads it, one line a host.
  returned: always
  type: list
  elements: str
  sample: ['"web" at 2.4.1: converged: 6 of 6 hosts run 2.4.1 and serve']
"""
