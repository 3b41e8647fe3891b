# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m fleet.app DIRECTORY VERSION [BEHAVIOUR]` builds a release and prints its path; the behaviour is JSON, as in `app.py`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from fleet.app import make_release

print(make_release(Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]) if sys.argv[3:] else None))
