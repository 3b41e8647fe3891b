# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many examples a property is tried with, in unit tests and where integration tests have the same over again."""

from __future__ import annotations

from hypothesis import settings

# A part of them in each run, anew each time; make test-exhaustive tries many. A busy machine is no reason to fail.
settings.register_profile("ordinary", max_examples=20, deadline=None)
settings.register_profile("exhaustive", max_examples=200, deadline=None)
settings.load_profile("ordinary")
