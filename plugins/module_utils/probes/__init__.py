# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Probes that say whether an app is healthy, over HTTP(S), TCP or a command, many at once.

``ARGUMENT_SPEC`` and ``run`` are all that a module or an action plugin needs.
"""

from __future__ import annotations

from ansible_collections.convoy.rolling.plugins.module_utils.probes.health import run
from ansible_collections.convoy.rolling.plugins.module_utils.probes.options import ARGUMENT_SPEC
from ansible_collections.convoy.rolling.plugins.module_utils.probes.secrets import secrets_in

__all__ = ["ARGUMENT_SPEC", "run", "secrets_in"]
