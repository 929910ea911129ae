# All this needs is a clone, Rust, Python 3.11 and make. Every other tool is installed under .venv, in the exact version
# that requirements/ names, and again only when those change.

STACK ?= cloudtrail-signals
ARCHITECTURE ?= x86_64
PARAMETERS ?=
PARAMETERS_FILE := target/parameters.yaml
EVENT ?= events/sqs-s3.json
SECONDS ?= 60
MAX_LEN ?= 8192
RULES ?=
LAYER ?= cloudtrail-signals-rules
# Rules are checked by the installed cloudtrail-scan if there is one, otherwise by the one in this clone.
SCAN ?= $(or $(shell command -v cloudtrail-scan),cargo run --quiet --release --locked -p cloudtrail-scan --)

TOOLS := .venv/tools
LOCALSTACK := .venv/localstack
CHECKOV := .venv/checkov
AWS := .venv/aws
CYCLONEDX := .venv/cyclonedx
CYCLONEDX_VERSION := 0.5.9
PYTHON := $(TOOLS)/bin/python
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --no-deps

# This is how cargo and sam find cargo-lambda, and how cargo-lambda finds zig.
export PATH := $(CURDIR)/$(TOOLS)/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
export PYTHONDONTWRITEBYTECODE := 1
# By default make exports a variable expanded, and a "$" would be lost: export the text as it was typed.
unexport PARAMETERS
export STACK_PARAMETERS = $(value PARAMETERS)

.DEFAULT_GOAL := help
.PHONY: help build test lint demo sandbox invoke localstack ministack deploy doctor rules grant redrive test-notice test-page history clean release bench soak fuzz package parameters rust-tests deploy-tests

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: $(TOOLS)/installed ## Compile the function for Lambda, to target/lambda/cloudtrail-signals/bootstrap
	cargo lambda build --release --locked --bin cloudtrail-signals $(if $(filter arm64,$(ARCHITECTURE)),--arm64)

test: lint rust-tests deploy-tests ## Run everything: lint, unit, property, LocalStack and deployment tests

lint: $(TOOLS)/installed $(CHECKOV)/installed ## Check formatting, warnings, licences, templates, workflows and sample events
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo deny --workspace --locked check bans licenses sources
	$(TOOLS)/bin/sam validate --lint --region us-east-1
	for template in deploy/*.yaml; do $(TOOLS)/bin/sam validate --lint --region us-east-1 --template $$template || exit 1; done
	$(CHECKOV)/bin/checkov -f template.yaml $(wildcard deploy/*.yaml)
	@# By itself it looks only at what the parameters' defaults switch on.
	mkdir -p target/checkov
	sed 's/Default: "false"/Default: "true"/' template.yaml > target/checkov/everything-on.yaml
	$(CHECKOV)/bin/checkov -f target/checkov/everything-on.yaml
	@# Without what it calls if it happens to be installed: the verdict is the same on every machine.
	$(TOOLS)/bin/actionlint -shellcheck= -pyflakes= $(wildcard .github/workflows/*.yml)
	$(TOOLS)/bin/ruff check
	$(TOOLS)/bin/ruff format --check
	$(PYTHON) events/pack.py --check

demo: package ## Deploy to a local emulator, deliver the samples, print the signals and a notice
	$(PYTHON) tools/demo.py

sandbox: package $(AWS)/installed ## Open a shell whose AWS is a local emulator, to deploy into and to break things
	$(PYTHON) tools/sandbox.py

invoke: $(TOOLS)/installed ## Run the function locally on one sample payload: make invoke EVENT=events/s3-put.json
	cargo build --locked --bin cloudtrail-signals
	$(PYTHON) tools/invoke.py $(EVENT)

ministack: $(TOOLS)/installed ## Run the tests of rules that remember against MiniStack's DynamoDB
	$(PYTHON) tools/emulator.py ministack -- cargo test --locked --test ministack

localstack: $(TOOLS)/installed $(LOCALSTACK)/installed ## Run the handler's tests against LocalStack's S3, SNS and SQS
	$(PYTHON) tools/emulator.py localstack -- cargo test --locked --test localstack

deploy: parameters package ## Deploy to AWS: make deploy PARAMETERS='TrailBucketName=my-trail ExceptionQuery="a: b c"'
	@$(PYTHON) tools/parameters.py kept $(PARAMETERS_FILE) $(STACK)
	$(TOOLS)/bin/sam deploy --stack-name $(STACK) --parameter-overrides file://$(PARAMETERS_FILE)

release: $(TOOLS)/installed $(CYCLONEDX)/installed ## Build what a release holds into dist/: zips, the command, templates, SBOMs, checksums
	$(PYTHON) tools/release.py

bench: build ## Measure speed, memory and size against what else could do the job, as tables
	cargo build --release --locked -p cloudtrail-scan -p benches
	cargo build --release --locked --manifest-path benches/rsigma/Cargo.toml --target-dir target/rsigma
	$(PYTHON) benches/bench.py

soak: package ## Put 2,000 deliveries through the deployed stack while killing the function, and count every signal
	$(PYTHON) tools/soak.py

fuzz: ## Fuzz every target for SECONDS each: make fuzz SECONDS=600 (needs a nightly toolchain and cargo-fuzz)
	for target in payload delivery record query eql sigma bundle; do \
	  cargo +nightly fuzz run $$(test $$target = payload && echo --features function) $$target -- -max_total_time=$(SECONDS) -max_len=$(MAX_LEN) -malloc_limit_mb=64 || exit 1; \
	done

doctor: $(TOOLS)/installed ## Look at a deployed stack from the trail to the mailbox, and say what is wrong and what to do
	@$(PYTHON) tools/doctor.py $(STACK)

rules: $(AWS)/installed ## Check, test and bundle a folder of rules, and publish it as a layer: make rules RULES=my-rules
	@test -n "$(RULES)" || { echo "name the folder: make rules RULES=my-rules" >&2; exit 2; }
	$(SCAN) --check --rules "$(RULES)"
	$(SCAN) --test --rules "$(RULES)"
	mkdir -p target/rules
	$(SCAN) --rules "$(RULES)" --bundle target/rules/rules.json
	$(AWS)/bin/python -m zipfile -c target/rules/layer.zip target/rules/rules.json
	@arn=$$($(AWS)/bin/aws lambda publish-layer-version --layer-name $(LAYER) --zip-file fileb://target/rules/layer.zip \
	  --query LayerVersionArn --output text) && echo "RulesLayerArn=$$arn"

redrive: $(TOOLS)/installed ## Send the dead letters of a deployed stack back to its queue
	$(PYTHON) tools/redrive.py $(STACK)

test-notice: $(TOOLS)/installed ## Send one marked notice through a deployed stack's topic, to see that mail and chat work
	$(PYTHON) tools/notice.py $(STACK)

test-page: $(TOOLS)/installed ## Open the page of cloudtrail-scan in a headless Chromium, if this machine has one
	cargo build --locked -p cloudtrail-scan
	$(TOOLS)/bin/pytest -p no:cacheprovider tests/page

grant: $(TOOLS)/installed ## In the bucket's account: let the function of another account read, after you have seen the difference
	@$(PYTHON) tools/grant.py $(STACK)

history: $(TOOLS)/installed ## Scan past deliveries; a dry run without RUN=yes: make history PREFIX=AWSLogs/ SINCE=2026-01-01 LEARN=yes
	$(PYTHON) tools/history.py $(STACK) $(if $(PREFIX),--prefix "$(PREFIX)") $(if $(INVENTORY),--inventory "$(INVENTORY)") $(if $(BUCKET),--bucket "$(BUCKET)") \
		$(if $(SINCE),--since $(SINCE)) $(if $(UNTIL),--until $(UNTIL)) $(if $(filter yes,$(LEARN)),--learn) $(if $(filter yes,$(RUN)),--run)

clean: ## Remove everything that was built or installed here
	rm -rf target dist .aws-sam .venv .pytest_cache .ruff_cache

# Recompiles nothing: SAM runs the same cargo-lambda command and puts the artifact next to the template.
package: build
	$(TOOLS)/bin/sam build --parameter-overrides Architecture=$(ARCHITECTURE)

# Runs before anything is compiled, so that a mistake in PARAMETERS shows at once.
parameters: $(TOOLS)/installed
	@ARCHITECTURE=$(ARCHITECTURE) $(PYTHON) tools/parameters.py write $(PARAMETERS_FILE)

rust-tests: $(TOOLS)/installed $(LOCALSTACK)/installed
	$(PYTHON) tools/emulator.py localstack -- $(PYTHON) tools/emulator.py ministack -- cargo test --locked --workspace

# The tests compare with what cloudtrail-scan finds; the Rust tests have already compiled it.
deploy-tests: package $(AWS)/installed
	cargo build --locked -p cloudtrail-scan
	$(TOOLS)/bin/pytest -p no:cacheprovider

.venv/%/installed: requirements/%.txt
	rm -rf $(@D)
	python3.11 -m venv $(@D)
	$(@D)/bin/python $(PIP_INSTALL) -r $<
	touch $@

# Writes the bills of materials for a release.
$(CYCLONEDX)/installed:
	cargo install cargo-cyclonedx --version $(CYCLONEDX_VERSION) --locked --root $(@D)
	touch $@
