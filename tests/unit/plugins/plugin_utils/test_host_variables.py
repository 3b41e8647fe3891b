# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from unit.plugins.plugin_utils.real_action import Run, template

from ansible_collections.convoy.rolling.plugins.plugin_utils.host_variables import HostVariables


class Action(ActionBase):
    """An action that does nothing."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        return {}


def of(run: Run, host: str) -> HostVariables:
    return HostVariables(run.action(Action), run.task_vars, host)


def test_variables_of_play_and_task_are_seen_for_every_host() -> None:
    """What hostvars leaves out."""
    url = template("http://{{ inventory_hostname }}:{{ number }}")
    run = Run("web1 number=1\nweb2 number=2", {"vars": {"rollout_app": "web", "url": url}}, vars={"mine": "yes"})
    assert [of(run, host)["url"] for host in ("web1", "web2")] == ["http://web1:1", "http://web2:2"]
    assert of(run, "web2")["rollout_app"] == "web"
    assert of(run, "web2")["mine"] == "yes"


def test_only_what_is_read_is_templated() -> None:
    mine = of(Run(play={"vars": {"bad": template("{{ no_such_thing }}"), "good": 1}}), "web1")
    assert (mine["good"], "bad" in mine, "none" in mine, mine.get("none")) == (1, True, False, None)
    assert len(mine) == len(list(mine)) > 2
    with pytest.raises(AnsibleError, match="no_such_thing"):
        mine["bad"]
