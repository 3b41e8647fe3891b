#!/usr/bin/python
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: releases
short_description: Look at, stage or switch the releases of many hosts at once
version_added: 0.1.0
author:
  - convoy.rolling maintainers (@convoy-rolling)
description:
  - Does what M(convoy.rolling.release) does, on many hosts from one task, each through its own connection and become settings, as many at a
    time as C(forks).
  - A host costs one round trip and no transfer of a module. A host that cannot be reached is a result like any other and does not leave the
    play.
extends_documentation_fragment:
  - convoy.rolling._attributes
  - convoy.rolling._steps
  - convoy.rolling._steps.FLEET
  - convoy.rolling._steps.LEASE
options:
  state:
    description:
      - V(observed) looks at what is there.
      - V(staged) puts O(version) beside the active release; nothing that runs notices.
      - V(active) switches to O(version), which must be staged, and restarts the process with C(rollout_restart_command) or
        C(rollout_service).
    type: str
    required: true
    choices: [observed, staged, active]
  hosts:
    description: The hosts; all of the fleet when not given.
    type: list
    elements: str
  version:
    description: The version to stage or to switch to.
    type: str
  sha256:
    description: The digest that the artifact must have.
    type: str
  keep:
    description: How many releases stay on a host. The active and the previous one always do.
    type: int
    default: 5
  shared:
    description: Relative paths in the release that become links into C(shared/).
    type: list
    elements: str
    default: []
  strip_components:
    description: How many leading directories to drop from each name in the archive.
    type: int
    default: 0
  by:
    description: Who deploys, for the manifest.
    type: str
  cause:
    description: Why, for the manifest.
    type: str
  patience:
    description:
      - How long a host may take before it counts as unreachable, such as V(30s); without it, a host is waited for as long as its connection is.
    type: str
  prove:
    description: With O(state=staged), prove on every host that it can go back, that the release is whole as it was staged or can be fetched.
    type: bool
    default: false
  way_back:
    description: The version that hosts would go back to; when empty, each to what it has.
    type: str
    default: ""
attributes:
  check_mode:
    support: partial
    details:
      - With O(state=staged) and O(state=active) it does nothing and counts as changed when there are hosts.
  diff_mode:
    support: none
  idempotent:
    support: partial
    details:
      - O(state=active) restarts the process every time.
"""

EXAMPLES = r"""
- name: Look at the releases of the fleet
  convoy.rolling.releases:
    state: observed
    fleet: "{{ fleet.fleet }}"
  run_once: true
"""

RETURN = r"""
hosts:
  description:
    - Host -> what came of it. C(unreachable) or C(error) hold a sentence when it went wrong. In a restart, C(mark) is what the next process,
      or boot, has another of.
  returned: success
  type: dict
  sample: {"web1": {"active": "2.4.0"}, "web2": {"unreachable": "Connection refused"}}
skipped_in_check_mode:
  description: That check mode kept it from doing anything.
  returned: in check mode, unless O(state=observed)
  type: bool
  sample: true
"""
