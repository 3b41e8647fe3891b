# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: its content may change in any release.
"""Wording shared by the ``attributes:`` of every plugin. A plugin extends it and adds ``support:`` (and ``details:``)."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description:
      - Can run in check mode, where it changes nothing and returns what it would change.
  diff_mode:
    description:
      - Returns in diff mode what it changed, or in check mode would change, as before and after.
  idempotent:
    description:
      - When run twice in a row with the same arguments, the second run changes nothing,
        provided that nobody else changed what it manages in between.
"""

    # For what only reads: the three at once, with nothing to add.
    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - It only reads, so it does the same in check mode.
  diff_mode:
    support: N/A
    details:
      - It only reads, so there is no difference to show.
  idempotent:
    support: full
    details:
      - It only reads.
"""

    BALANCERS = r"""
options: {}
attributes:
  action_group:
    description:
      - Use R(group/convoy.rolling.balancers, module_defaults_groups) in C(module_defaults)
        to give the options of all modules for load balancers at once.
    support: full
    membership:
      - convoy.rolling.balancers
"""

    RELEASES = r"""
options: {}
attributes:
  action_group:
    description:
      - Use R(group/convoy.rolling.releases, module_defaults_groups) in C(module_defaults)
        to give the options of all modules for releases at once.
    support: full
    membership:
      - convoy.rolling.releases
"""
