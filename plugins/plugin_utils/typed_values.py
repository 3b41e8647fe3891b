# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The frozen values of the collection out of plain ones that anybody may have written: what is of another type is refused. Pure."""

from __future__ import annotations

import json
import math
import types
import typing as t
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache

_Check = Callable[[t.Any], t.Any]


def typed(kind: t.Any, value: t.Any) -> t.Any:
    """A value of this type, from what ``dataclasses.asdict`` and JSON make of one.

    :param kind: a dataclass, an enum, ``str``, ``int``, ``float``, ``bool``, ``X | None``, ``tuple[X, ...]``, ``dict[str, X]`` or ``Any``.
    :raises ValueError: it is none.
    """
    return _check(kind)(value)


def typed_json(kind: t.Any, text: t.Any) -> t.Any:
    """The same from a text of JSON."""
    if not isinstance(text, str):
        raise ValueError(f"{_shown(text)} is no text")
    return typed(kind, json.loads(text))


@cache
def _check(kind: t.Any) -> _Check:
    origin, arguments = t.get_origin(kind), t.get_args(kind)
    if kind is t.Any:
        return lambda value: value
    if is_dataclass(kind):
        return _dataclass(kind)
    if origin in (types.UnionType, t.Union):
        (inner,) = (_check(argument) for argument in arguments if argument is not types.NoneType)
        return lambda value: None if value is None else inner(value)
    if origin is tuple:
        element = _check(arguments[0])
        return lambda value: tuple(map(element, _of(list, value)))
    if origin is dict:
        element = _check(arguments[1])
        return lambda value: {_of(str, key): element(item) for key, item in _of(dict, value).items()}
    if issubclass(kind, Enum):
        return lambda value: kind(_of(str, value))
    return lambda value: _of(kind, value)


def _dataclass(kind: t.Any) -> _Check:
    hints = t.get_type_hints(kind)
    checks = {field.name: _check(hints[field.name]) for field in fields(kind)}

    def build(value: t.Any) -> t.Any:
        try:
            return kind(**{name: checks[name](item) for name, item in _of(dict, value).items()})
        except (KeyError, TypeError) as error:
            raise ValueError(f"{_shown(value)} is no {kind.__name__}") from error

    return build


def _of(kind: t.Any, value: t.Any) -> t.Any:
    is_bool = isinstance(value, bool)  # which Python counts among the whole numbers
    if kind is float and isinstance(value, int) and not is_bool:
        return float(value)
    if not isinstance(value, kind) or is_bool is not (kind is bool) or (kind is float and not math.isfinite(value)):
        raise ValueError(f"{_shown(value)} is no {kind.__name__}")
    return value


def _shown(value: t.Any) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
