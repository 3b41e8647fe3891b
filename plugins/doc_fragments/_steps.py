# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: its content may change in any release.
"""What the documentation of the controller's steps has in common."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
notes:
  - It is a step of the role R(convoy.rolling.rollout,ansible_collections.convoy.rolling.rollout_role) and runs on the controller, once for
    all hosts (C(run_once)). Use the role or its playbooks unless you build a flow of your own.
requirements:
  - SQLAlchemy >= 2.0 on the controller
"""

    FLEET = r"""
options:
  fleet:
    description:
      - What RV(convoy.rolling.fleet#module:fleet) returned in this run.
    type: path
    required: true
"""

    APP = r"""
options:
  hosts:
    description:
      - Hosts of the app. Their C(rollout_app), which must be one, says which app is meant.
    type: list
    elements: str
    required: true
"""

    JOURNAL = r"""
options:
  state_url:
    description:
      - The database that holds the journal, V(sqlite:////var/lib/convoy/rollouts.db) or
        V(postgresql+psycopg://user:password@host/database).
      - It is the role's variable C(rollout_state_url).
    type: str
    required: true
"""

    RUN = r"""
options:
  run:
    description:
      - Which rollout this step belongs to; what RV(convoy.rolling.plan#module:ticket) returned.
      - A step whose rollout lost its lease to a later one is refused.
    type: dict
    required: true
    suboptions:
      app:
        description: The app.
        type: str
        required: true
      rollout:
        description: The number of the rollout.
        type: int
        required: true
      fence:
        description: The number that grows with every holder of the app's lease.
        type: int
        required: true
"""

    LEASE = r"""
options:
  lease:
    description:
      - Which rollout this belongs to; before anything is ordered or sent to a host, it must prove that it is the live one.
      - A controller that lost its lease, because it was stopped for longer than the lease lasts, or because somebody broke it, gives no order any more,
        in the middle of a call neither, and puts nothing back either.
      - It is looked at on the controller, which needs SQLAlchemy then, and never leaves it. What runs on another host is proved once, before
        it is sent there.
    type: dict
    suboptions:
      run:
        description: What RV(convoy.rolling.plan#module:ticket) returned.
        type: dict
        required: true
        suboptions:
          app:
            description: The app.
            type: str
            required: true
          rollout:
            description: The number of the rollout.
            type: int
            required: true
          fence:
            description: The number that grows with every holder of the app's lease.
            type: int
            required: true
      state_url:
        description: The database that holds the journal, as a URL that SQLAlchemy knows.
        type: str
        required: true
"""

    POLICY = r"""
options:
  policy:
    description:
      - The limits of the rollout, each under the name of its role variable, such as C(rollout_max_unavailable).
      - All of them are in C(ansible-doc -t role convoy.rolling.rollout).
    type: dict
    required: true
"""

    OBSERVED = r"""
options:
  observed:
    description: One look at the fleet.
    type: dict
    required: true
    suboptions:
      pools:
        description: The results of M(convoy.rolling.lb_member_info), one a load balancer, each with its call under C(item).
        type: list
        elements: dict
        default: []
      releases:
        description: What RV(convoy.rolling.releases#module:hosts) returned.
        type: dict
        default: {}
      health:
        description: The results of M(convoy.rolling.health_check), whose targets are named after their hosts.
        type: list
        elements: dict
        default: []
"""
