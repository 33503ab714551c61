# The only door: people and CI call the same targets. `make` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# As the functions have it: products of small matrices take forty times as long where threads wait for a busy core.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
# Some images of containers have it: each of the many processes of a demo or a test would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
STAMP := .venv/.selfheal-setup
# uv where it works (a shim without a version behind it doesn't), else one of our own below .tools.
UV := $(shell if uv --version >/dev/null 2>&1; then echo uv; else echo .tools/bin/uv; fi)

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(STAMP) ## Make the development environment in .venv

.tools/bin/uv:
	@echo "==> uv isn't here: installing it into .tools"
	@python3 -m venv .tools 2>/dev/null || python3 -m pip install --quiet --target .tools/pip uv
	@if [ -x .tools/bin/pip ]; then .tools/bin/pip install --quiet uv; else mkdir -p .tools/bin && ln -sf ../pip/bin/uv .tools/bin/uv; fi

$(STAMP): requirements-dev.txt pyproject.toml .python-version $(if $(filter .tools/bin/uv,$(UV)),| .tools/bin/uv)
	@echo "==> making .venv with Python $$(cat .python-version) (once; about a minute)"
	@[ -x $(BIN)/python ] || $(UV) venv --quiet --no-project --python "$$(cat .python-version)" .venv
	@echo "==> installing the locked packages"
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements-dev.txt
	@echo "==> installing selfheal itself (editable)"
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@
	@echo "==> ready: .venv/bin/selfheal --help"

.PHONY: demo
demo: setup ## Run the whole loop on this machine: drift, healing, recovery (two to three minutes)
	@$(BIN)/selfheal demo

# Four things at once, each of minutes on one core: types, and the tests of what is pure, of what stores, of cloud and template.
.PHONY: test
test: setup ## Check and test all but slow tests, the browser, SAM and benchmarks (about twelve minutes)
	@$(MAKE) --no-print-directory -j4 check test-unit test-functional test-cloud

.PHONY: test-unit test-functional test-cloud
test-unit: setup
	@$(BIN)/pytest -m "not slow" tests/unit

test-functional: setup
	@$(BIN)/pytest -m "not slow" tests/functional

test-cloud: setup
	@$(BIN)/pytest -m "not slow" tests/workflow tests/infra tests/e2e tests/faults tests/soak

.PHONY: test-slow
test-slow: setup ## Run the slow tests: the wheel installed elsewhere, short files in the demo, a short day under faults (ten minutes)
	@$(BIN)/pytest -m slow tests/unit tests/functional tests/e2e tests/soak --ignore tests/e2e/test_packages.py

.PHONY: test-browser
test-browser: setup ## Test the console in the Chromium of this machine (skipped where there is none)
	@$(BIN)/pytest tests/browser

.PHONY: check
check: setup ## Lint, format and types
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

.PHONY: format
format: setup ## Format and mend what can be mended
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

.PHONY: synth
synth: setup ## Synthesise the CloudFormation templates into cdk.out (no Docker, no account)
	@$(BIN)/python -m infra.cloud.app

LINT := .tools/lint/bin

# Of most that a stage may have the default has none: one with everything turned on is checked beside it.
LINTED := cdk.out/*.template.json build/everything/*.template.json

# cdk-nag reads the templates while they are synthesised.
# statelint takes the names that the template fills in for addresses, and numbers for ones without a fraction; it doesn't
# know what else than a number of items configures a reader of a map's items.
.PHONY: check-infra
check-infra: synth .tools/sam.done .tools/lint.done ## Check templates, policies, state machine and workflows by what AWS and GitHub accept
	@CDK_OUTDIR=build/everything CDK_CONTEXT_JSON="$$(cat infra/lint/everything.json)" $(BIN)/python -m infra.cloud.app
	@printf '%s\n' $(LINTED) | AWS_DEFAULT_REGION=us-east-1 SAM_CLI_TELEMETRY=0 \
	  xargs -P 2 -I{} .tools/sam/bin/sam validate --lint --template {}
	@$(LINT)/cfn-lint --include-checks I --include-experimental --regions us-east-1 -- $(LINTED)
	@$(LINT)/checkov --config-file infra/lint/checkov.yaml --file $(LINTED)
	@$(LINT)/python -W ignore infra/lint/policies.py $(LINTED)
	@sed '/"ReaderConfig"/d' infra/cloud/hour_roll_up.asl.json > cdk.out/hour_roll_up.asl.json
	@$(LINT)/statelint --ignore URI,FLOAT infra/cloud/state_machine.asl.json cdk.out/hour_roll_up.asl.json
	@$(MAKE) --no-print-directory check-workflows
	@$(BIN)/pytest tests/infra tests/e2e/test_packages.py

.PHONY: check-workflows
check-workflows: .tools/lint.done ## Check what runs on GitHub: its schema, and its security
	@$(LINT)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(LINT)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	@$(LINT)/zizmor --quiet --offline .github

.PHONY: workflow-steps
workflow-steps: setup ## Run here what GitHub's workflows run: JOBS="checks/infra updates/locks", or all of them
	@$(BIN)/python infra/lint/workflow_steps.py $(JOBS)

# Tools that want other versions of packages than the project, each in an environment of its own.
.tools/%.done: requirements-%.txt $(if $(filter .tools/bin/uv,$(UV)),| .tools/bin/uv)
	@echo "==> installing $< into an environment of its own"
	@[ -x .tools/$*/bin/python ] || $(UV) venv --quiet --no-project --python "$$(cat .python-version)" .tools/$*
	@$(UV) pip sync --quiet --python .tools/$*/bin/python --require-hashes $<
	@touch $@

.PHONY: sam
sam: setup .tools/sam.done ## Run the whole loop in containers under SAM (about ten minutes; starts an engine where it may)
	@$(BIN)/pytest -s --timeout 3600 -p no:randomly tests/sam

STAGE ?= dev
# Lambda refuses images with the attestations that newer Docker adds.
CDK := BUILDX_NO_DEFAULT_ATTESTATIONS=1 PATH="$$PWD/$(BIN):$$PATH" npx --yes aws-cdk@2.1148.1

.PHONY: cdk-diff
cdk-diff: setup ## Show what a deployment of STAGE would change
	@$(CDK) diff --no-change-set --context stage=$(STAGE)

.PHONY: deploy
deploy: setup ## Deploy STAGE (dev unless told otherwise) to the account of the present credentials
	@$(CDK) deploy --all --require-approval never --context stage=$(STAGE)

SBOM := $(UV) tool run --quiet --from cyclonedx-bom==7.5.0 cyclonedx-py requirements --output-reproducible --spec-version 1.6

.PHONY: sbom
sbom: setup ## Write the bills of materials of the zip layer and of the image into build/
	@mkdir -p build
	@$(SBOM) layers/runtime/requirements.txt -o build/sbom-runtime.json
	@$(SBOM) functions/requirements.txt -o build/sbom-image.json

BASE := public.ecr.aws/lambda/python:3.13

.PHONY: pin-image
pin-image: ## Pin the image's base by the digest that its tag has now (asks its registry; needs Docker's buildx)
	@digest=$$(docker buildx imagetools inspect $(BASE) --format '{{.Manifest.Digest}}'); \
	  sed -i.old -E "s|^FROM $(BASE)(@sha256:[0-9a-f]{64})?|FROM $(BASE)@$$digest|" functions/Dockerfile; \
	  rm functions/Dockerfile.old; grep ^FROM functions/Dockerfile

LOCK := $(UV) pip compile --quiet --python-version 3.13 --generate-hashes --no-emit-index-url --no-header

.PHONY: lock
lock: setup ## Resolve the dependency groups of pyproject.toml anew
	$(LOCK) --upgrade --group dev -o requirements-dev.txt
	$(LOCK) --group runtime -c requirements-dev.txt -o layers/runtime/requirements.txt
	$(LOCK) --group image -c requirements-dev.txt -o functions/requirements.txt
	$(LOCK) --no-deps --group trainers -c requirements-dev.txt -o layers/trainers/requirements.txt
	$(LOCK) --group image-mlflow -c requirements-dev.txt -o functions/requirements-mlflow.txt
	$(LOCK) --upgrade --group sam -o requirements-sam.txt
	$(LOCK) --upgrade --group lint -o requirements-lint.txt

.PHONY: bench-drift
bench-drift: setup ## Measure the monitoring: error rates, power, speed (about eight minutes; build/bench/drift.json)
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.drift

.PHONY: bench-scale
bench-scale: setup ## Measure many predictions: over HTTP, rolled up in parts, and their bill (about half an hour; build/bench/scale.json)
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.scale

.PHONY: bench-serving
bench-serving: setup ## Measure the predictor beside its peers (about eight minutes; build/bench/serving.json)
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.serving

.PHONY: bench-refusals
bench-refusals: setup ## Measure predictions a second while S3 refuses a tenth of its calls (a minute; build/bench/refusals.json)
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.refusals

.PHONY: bench-console
bench-console: setup ## Measure the console on 500 decisions and 90 days (a minute; build/bench/console.json)
	@$(BIN)/python -m tests.benchmarks.console

.PHONY: fuzz-api
fuzz-api: setup ## Send five thousand generated requests to the API of the local cloud
	@$(BIN)/python -m tests.benchmarks.serving.fuzz

.PHONY: openapi
openapi: setup ## Write docs/openapi.json
	@$(BIN)/python -m infra.openapi

.PHONY: environments
environments: setup ## Write infra/tools/selfheal_tools/environments.json, which `selfheal cost` reads
	@$(BIN)/python -m selfheal_tools.environments

.PHONY: screenshots
screenshots: setup ## Write the pictures of docs/console.md (needs Chromium; three minutes)
	@$(BIN)/python -m tests.browser.screenshots

.PHONY: files-doc
files-doc: setup ## Write the tables of docs/files.md
	@$(BIN)/python -m tests.support.odd_files

.PHONY: bench-gates
bench-gates: setup ## Measure the gates and the probation: who gets in, who is taken back (about eight minutes; build/bench/gates.json)
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.gates

.PHONY: bench-healing
bench-healing: setup ## Replay histories under eight policies and check the bars (over an hour, resumes; build/bench/healing.json)
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.healing

.PHONY: fault-sweep
fault-sweep: setup ## Inject every fault, random faults, and every mix of actors (an hour; docs/reliability.md)
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.faults

.PHONY: soak
soak: setup ## Live a day of 50,000 predictions while processes die and AWS refuses, delays and repeats (docs/reliability.md)
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.soak

.PHONY: clean
clean: ## Remove what the other targets made
	rm -rf .venv .tools build cdk.out .mypy_cache .ruff_cache .pytest_cache .hypothesis
