# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real fleet on loopback, for the demo, the integration tests and the bench: app processes, HAProxy, client load, a sampler.

No root, nothing outside its own directory, any number of fleets at once. The parts: `fleet.fleet.Fleet`, `fleet.load.Load`,
`fleet.sampler.Sampler`, `fleet.play.play`, and `python -m fleet.demo`.
"""
