# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The providers there are: a new one is a line here and its own file."""

from __future__ import annotations

import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.base import Balancer
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.haproxy import HAProxy

PROVIDERS: t.Mapping[str, type[Balancer]] = {provider.provider: provider for provider in (HAProxy,)}
