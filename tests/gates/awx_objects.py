# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every item of examples/awx/controller/objects.yml as arguments of its module of awx.awx, by what `ansible-doc` says of that; for make test-awx."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from pathlib import Path

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.dataloader import DataLoader

CONTROLLER = Path(__file__).parents[2] / "examples" / "awx" / "controller"
_KEPT = ("type", "elements", "required", "choices", "aliases")


def modules() -> dict[str, str]:
    """The lists of objects.yml, and the module to which apply.yml gives the items of each."""
    found = {}
    for task in yaml.safe_load((CONTROLLER / "apply.yml").read_text())[0]["tasks"]:
        (module,) = [name for name in task if name.startswith("awx.awx.")]
        found[task["loop"].strip("{} ")] = module
    return found


def spec_of(options: dict[str, t.Any]) -> dict[str, t.Any]:
    """Ansible's argument spec from the documentation of options, suboptions included."""
    spec = {}
    for name, option in options.items():
        spec[name] = {key: option[key] for key in _KEPT if key in option}
        if option.get("suboptions"):
            spec[name]["options"] = spec_of(option["suboptions"])
    return spec


def main() -> int:
    objects = DataLoader().load_from_file(str(CONTROLLER / "objects.yml"))
    names = modules()
    program = Path(sys.executable).with_name("ansible-doc")
    said = subprocess.run([program, "--json", "--type", "module", *names.values()], check=True, capture_output=True, text=True).stdout
    documented = json.loads(said)
    faults = [f"{name}: apply.yml gives it to no module" for name in objects if name.startswith("controller_") and name not in names]
    checked = 0
    for name, module in names.items():
        validator = ArgumentSpecValidator(spec_of(documented[module]["doc"]["options"]))
        for one in objects[name]:
            faults += [f"{name}, {one['name']}: {message}" for message in validator.validate(one).error_messages]
            checked += 1
    print("\n".join(faults) or f"{checked} objects are what {len(names)} modules of awx.awx take.")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
