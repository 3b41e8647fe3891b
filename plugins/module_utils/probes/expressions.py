# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JMESPath expressions, checked before they are needed."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import traceback
import typing as t

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError

try:
    import jmespath
    from jmespath.functions import Functions
except ImportError:
    JMESPATH_TRACEBACK: str | None = traceback.format_exc()
else:
    JMESPATH_TRACEBACK = None


@dataclasses.dataclass(frozen=True)
class Expression:
    """An expression that parsed and calls only functions that exist, with the right number of arguments."""

    text: str
    _compiled: t.Any

    @classmethod
    def parse(cls, text: str, option: str) -> Expression:
        """Compile the text.

        :param option: where the expression was given, for the error.
        :raises InputError: for an expression that could never be evaluated.
        :raises RollingError: when jmespath is not installed.
        """
        if JMESPATH_TRACEBACK is not None:
            raise RollingError(missing_required_lib("jmespath", reason=f"for {option}"), {"exception": JMESPATH_TRACEBACK})
        try:
            compiled = jmespath.compile(text)
            for name, arguments in _calls(compiled.parsed):
                _check_call(name, arguments)
        except jmespath.exceptions.JMESPathError as error:
            why = str(error).splitlines()[0].rstrip(":")
            raise InputError(f"{option}: {text!r} is no JMESPath expression ({why}); correct it, and give several as a list.") from error
        return cls(text, compiled)

    def of(self, document: t.Any) -> t.Any:
        """The value in the document.

        :raises ValueError: when a function in the expression does not fit what the document holds.
        """
        try:
            return self._compiled.search(document)
        except (jmespath.exceptions.JMESPathError, RecursionError) as error:
            raise ValueError(str(error).splitlines()[0]) from error

    def why_not(self, document: t.Any) -> str | None:
        """Why the document does not meet the expression as a condition, or None: it must come out exactly ``true``."""
        try:
            value = self.of(document)
        except ValueError as error:
            return f"condition {self.text} could not be evaluated ({error})"
        if value is True:
            return None
        hint = " (a string is written 'so'; \"so\" is the name of a field)" if '"' in self.text else ""
        return f"condition {self.text} came out {json.dumps(value)}, not true{hint}"


def _calls(node: t.Any) -> t.Iterator[tuple[str, int]]:
    if isinstance(node, dict):
        if node["type"] == "function_expression":
            yield node["value"], len(node["children"])
        for child in node["children"]:
            yield from _calls(child)


def _check_call(name: str, arguments: int) -> None:
    # A type error is fine: the function exists and takes that many; what it is given is only known in a probe.
    with contextlib.suppress(jmespath.exceptions.JMESPathTypeError):
        Functions().call_function(name, [None] * arguments)
