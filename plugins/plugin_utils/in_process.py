# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module that needs no transfer where the target is the controller: the same code, called in the action plugin.

A module costs 0.2 s of CPU to be packed, started and read back; a batch of a rollout has several.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils.plain_values import plain

Run = Callable[[dict[str, t.Any], bool], dict[str, t.Any]]


def call_module(spec: dict[str, t.Any], function: Run, given: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Call a module's function from another step; what fails is a value, as with ``failed_when: false``.

    :param spec: the module's argument spec.
    :return: the module's result.
    """
    try:
        checked = ArgumentSpecValidator(spec).validate({name: value for name, value in given.items() if value is not None})
        if checked.error_messages:
            raise InputError(f"{checked.error_messages[0]}.")
        return function(checked.validated_parameters, False)
    except RollingError as error:
        return {"failed": True, "msg": error.message, **error.result}
    except Exception as error:  # nor may what nobody thought of hide what came of the other calls
        return {"failed": True, "msg": f"{type(error).__name__}: {error}"}


class InProcess(ActionBase):
    """An action beside a module of the same name. A subclass names the module's argument spec and its function."""

    _supports_check_mode = True
    ARGUMENT_SPEC: t.ClassVar[dict[str, t.Any]] = {}

    def here(self, params: dict[str, t.Any]) -> Run | None:
        """The function to call in this process with these arguments; None when they need the module."""
        raise NotImplementedError

    def module_arguments(self) -> dict[str, t.Any]:
        """What the module is given where it does run.

        :raises RollingError: it must not run.
        """
        return dict(self._task.args)

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        try:
            if self._connection.transport == "local" and not self._task.become:
                params = plain(self.validate_argument_spec(self.ARGUMENT_SPEC)[1])
                function = self.here(params)
                if function is not None:
                    result.update(function(params, bool(self._task.check_mode)))
                    return result
            arguments = self.module_arguments()
        except AnsibleActionFail as error:  # bad arguments; raised on, it would end the run whatever failed_when says
            result.update(failed=True, msg=f"{error}.")
            return result
        except RollingError as error:
            result.update(failed=True, msg=error.message, **error.result)
            return result
        result.update(self._execute_module(module_args=arguments, task_vars=task_vars))
        return result
