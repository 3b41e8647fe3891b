# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWX would refuse, or meet too late, in examples/awx; `make test-awx` holds it against awx.awx itself."""

from __future__ import annotations

import re
import typing as t

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from unit.documented import ROOT, role_variables

PROJECT = ROOT / "examples" / "awx"
Json = dict[str, t.Any]

OBJECTS: Json = DataLoader().load_from_file(str(PROJECT / "controller" / "objects.yml"))
TEMPLATES: dict[str, Json] = {template["name"]: template for template in OBJECTS["controller_templates"]}
SURVEYED: dict[str, Json] = {one["name"]: one for one in [*TEMPLATES.values(), *OBJECTS["controller_workflows"]] if "survey_spec" in one}
# The types that the REST interface of AWX 24 knows, and what their defaults are.
DEFAULTS = {"text": str, "textarea": str, "password": str, "multiplechoice": str, "multiselect": str, "integer": int, "float": float}


@pytest.mark.parametrize("name", SURVEYED)
def test_survey_is_one_that_awx_accepts(name: str) -> None:
    assert SURVEYED[name]["survey_enabled"]
    survey = SURVEYED[name]["survey_spec"]
    assert isinstance(survey["name"], str) and isinstance(survey["description"], str) and survey["spec"]
    variables = [question["variable"] for question in survey["spec"]]
    assert len(set(variables)) == len(variables)
    for question in survey["spec"]:
        assert question["question_name"] and isinstance(question["required"], bool)
        assert isinstance(question.get("default", ""), DEFAULTS[question["type"]])
        assert question.get("default", "") in ["", *question.get("choices", [question.get("default")])]
        assert all(isinstance(question[limit], int) for limit in ("min", "max") if limit in question)
        assert not set(question) - {
            "question_name",
            "question_description",
            "variable",
            "type",
            "required",
            "default",
            "min",
            "max",
            "choices",
        }


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_asks_for_what_its_playbook_knows(name: str) -> None:
    template = TEMPLATES[name]
    playbook = (PROJECT / template["playbook"]).read_text()
    imported = re.search(r"import_playbook: convoy\.rolling\.(\w+)", playbook)
    assert imported and (ROOT / "playbooks" / f"{imported[1]}.yml").exists()
    asked = {question["variable"] for question in template["survey_spec"]["spec"]} if "survey_spec" in template else set()
    for variable in asked | set(template.get("extra_vars", {})):
        assert variable in role_variables() or f"{{{{ {variable} }}}}" in playbook


def test_objects_name_each_other() -> None:
    names = {kind: {one["name"] for one in things} for kind, things in OBJECTS.items() if kind.startswith("controller_")}
    for template in TEMPLATES.values():
        assert template["project"] in names["controller_projects"] and template["inventory"] in names["controller_inventories"]
        assert template["execution_environment"] in names["controller_execution_environments"]
        assert set(template["credentials"]) <= names["controller_credentials"]
    for source in OBJECTS["controller_inventory_sources"]:
        assert source["inventory"] in names["controller_inventories"] and source["source_project"] in names["controller_projects"]
        assert (PROJECT / source["source_path"]).exists()
    for credential in OBJECTS["controller_credentials"]:
        assert credential["credential_type"] in names["controller_credential_types"] | {"Machine"}


def test_workflow_reaches_each_of_its_nodes_once() -> None:
    for workflow in OBJECTS["controller_workflows"]:
        nodes = {node["identifier"]: node for node in workflow["workflow_nodes"]}
        assert len(nodes) == len(workflow["workflow_nodes"])
        linked = [one["identifier"] for node in nodes.values() for links in node.get("related", {}).values() for one in links]
        assert set(linked) == set(nodes) - {workflow["workflow_nodes"][0]["identifier"]}
        for node in nodes.values():
            job = node["unified_job_template"]
            assert job["type"] == "workflow_approval" or job["name"] in TEMPLATES
        # Its answers go to every job: they are all that the jobs ask for.
        answers = {question["variable"] for question in workflow["survey_spec"]["spec"]}
        jobs = [TEMPLATES[name] for node in nodes.values() if (name := node["unified_job_template"]["name"]) in TEMPLATES]
        needed = {
            question["variable"] for job in jobs if "survey_spec" in job for question in job["survey_spec"]["spec"] if question["required"]
        }
        assert needed <= answers
        assert "rollout_version" not in answers, "the way back would take it for where to go"


def test_credential_keeps_the_password_out_of_the_url() -> None:
    (kind,) = OBJECTS["controller_credential_types"]
    fields = {field["id"]: field for field in kind["inputs"]["fields"]}
    assert set(kind["inputs"]["required"]) == set(fields) and fields["password"]["secret"]
    assert kind["injectors"] == {"extra_vars": {"rollout_state_url": "{{ url }}"}, "env": {"PGPASSWORD": "{{ password }}"}}
    assert "rollout_state_url" in role_variables()


@pytest.mark.parametrize("requirements", ["awx/collections/requirements.yml", "infrastructure/requirements.yml"])
def test_examples_pin_this_version(requirements: str) -> None:
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    (collection,) = yaml.safe_load((ROOT / "examples" / requirements).read_text())["collections"]
    assert collection == {"name": "convoy.rolling", "version": version}
