# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest
import yaml
from unit.plugins.module_utils.fake_balancer import World, pool_of

from ansible_collections.convoy.rolling.plugins.doc_fragments import _steps
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.base import Location
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.members import ARGUMENT_SPEC, INFO_ARGUMENT_SPEC, observe
from ansible_collections.convoy.rolling.plugins.modules import lb_member, lb_member_info


def plain(spec: dict[str, t.Any]) -> dict[str, t.Any]:
    """What must be the same in DOCUMENTATION and in the argument spec."""
    keys = ("type", "elements", "required", "choices", "default")
    return {name: {key: option[key] for key in keys if key in option} for name, option in spec.items()}


@pytest.mark.parametrize(("module", "spec"), [(lb_member, ARGUMENT_SPEC), (lb_member_info, INFO_ARGUMENT_SPEC)])
def test_documented_options_are_the_options(module: t.Any, spec: dict[str, t.Any]) -> None:
    documentation = yaml.safe_load(module.DOCUMENTATION)
    options = documentation["options"]
    if "convoy.rolling._steps.LEASE" in documentation["extends_documentation_fragment"]:
        options |= yaml.safe_load(_steps.ModuleDocFragment.LEASE)["options"]
    assert plain(options) == plain(spec)


def documented(returns: dict[str, t.Any], value: t.Any, where: str = "") -> None:
    """Every key of a result is in RETURN and the other way round; ``before`` and ``after`` refer to the view."""
    assert set(returns) == set(value), where
    for key, described in returns.items():
        first = value[key][0] if isinstance(value[key], list) else value[key]
        if "contains" in described:
            documented(described["contains"], first, f"{where}.{key}")


def test_documented_results_are_the_results() -> None:
    world = World(pool_of(2))
    result = world.run(members=["web1"], state="drained")
    returns = yaml.safe_load(lb_member.RETURN)
    documented(returns, {key: value for key, value in result.items() if key not in ("changed", "diff")})
    view = returns["view"]["contains"]["members"]["contains"]
    one = result["members"][0]
    assert set(view) == set(one["before"]) == set(one["after"])
    world.members["web1"] = dataclasses.replace(world.members["web1"], address="192.0.2.1", port=80)
    provider = world.provider()
    provider.locations = lambda _self: [Location("api", "a", "192.0.2.1", 80)]  # type: ignore[assignment,method-assign]
    shown = observe({"provider": "fake", "address": "here", "elsewhere": True}, {"fake": provider})
    documented(yaml.safe_load(lb_member_info.RETURN), {key: value for key, value in shown.items() if key != "changed"})


class Exit(Exception):
    """How a module ended."""


class FakeModule:
    """AnsibleModule without a process around it."""

    def __init__(self, spec: dict[str, t.Any], supports_check_mode: bool) -> None:
        self.params = {"state": "drained"}
        self.check_mode = supports_check_mode
        self.run_command = None

    def exit_json(self, **result: t.Any) -> t.NoReturn:
        raise Exit(result)

    def fail_json(self, **result: t.Any) -> t.NoReturn:
        raise Exit({"failed": True, **result})


def test_a_module_ends_with_the_result_or_with_the_error_and_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_params: t.Any, **_more: t.Any) -> t.NoReturn:
        raise RollingError("No.", {"members": []})

    for module, does, params in ((lb_member, "run", ({"state": "drained"}, True)), (lb_member_info, "observe", ({"state": "drained"},))):
        monkeypatch.setattr(module, "AnsibleModule", FakeModule)
        monkeypatch.setattr(module, does, lambda *given, **_more: {"given": given})
        with pytest.raises(Exit) as ended:
            module.main()
        assert ended.value.args[0] == {"given": params}
        monkeypatch.setattr(module, does, refuse)
        with pytest.raises(Exit) as ended:
            module.main()
        assert ended.value.args[0] == {"failed": True, "msg": "No.", "members": []}
