# A clone, Rust, Python 3.11 and make are all this needs. Every other tool is installed under .venv in the exact
# versions that requirements/ names, once, and again when those change.

STACK ?= cloudtrail-signals
ARCHITECTURE ?= x86_64
PARAMETERS ?=
EVENT ?= events/sqs-s3.json

TOOLS := .venv/tools
LOCALSTACK := .venv/localstack
PYTHON := $(TOOLS)/bin/python
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --no-deps

# cargo and sam find cargo-lambda, and cargo-lambda finds zig, by this.
export PATH := $(CURDIR)/$(TOOLS)/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help build test lint demo invoke localstack deploy clean package rust-tests deploy-tests

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: $(TOOLS)/installed ## Compile the function for Lambda, to target/lambda/cloudtrail-signals/bootstrap
	cargo lambda build --release --locked --bin cloudtrail-signals $(if $(filter arm64,$(ARCHITECTURE)),--arm64)

test: lint rust-tests deploy-tests ## Run everything: lint, unit, property, LocalStack and deployment tests

lint: $(TOOLS)/installed ## Check formatting, warnings, the template and the sample events
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	$(TOOLS)/bin/sam validate --lint --region us-east-1
	$(TOOLS)/bin/ruff check
	$(TOOLS)/bin/ruff format --check
	$(PYTHON) events/make_deliveries.py --check

demo: package ## Deploy to a local emulator, deliver the samples, print the signals
	$(PYTHON) tools/demo.py

invoke: $(TOOLS)/installed ## Run the function locally on one sample payload: make invoke EVENT=events/s3-put.json
	cargo build --locked --bin cloudtrail-signals
	$(PYTHON) tools/invoke.py $(EVENT)

localstack: $(TOOLS)/installed $(LOCALSTACK)/installed ## Run the handler's tests against LocalStack's S3, SNS and SQS
	$(PYTHON) tools/emulator.py localstack -- cargo test --locked --test localstack

deploy: package ## Deploy to AWS: make deploy PARAMETERS="TrailBucketName=my-trail-bucket"
	$(TOOLS)/bin/sam deploy --stack-name $(STACK) --parameter-overrides Architecture=$(ARCHITECTURE) $(PARAMETERS)

clean: ## Remove everything that was built or installed here
	rm -rf target .aws-sam .venv .pytest_cache .ruff_cache

# Compiles nothing again: SAM runs the same cargo-lambda command, and lays the artifact beside the template.
package: build
	$(TOOLS)/bin/sam build --parameter-overrides Architecture=$(ARCHITECTURE)

rust-tests: $(TOOLS)/installed $(LOCALSTACK)/installed
	$(PYTHON) tools/emulator.py localstack -- cargo test --locked

# Compares with what examples/scan.rs finds; the Rust tests have compiled it already.
deploy-tests: package
	cargo build --locked --example scan
	$(TOOLS)/bin/pytest -p no:cacheprovider

.venv/%/installed: requirements/%.txt
	rm -rf $(@D)
	python3.11 -m venv $(@D)
	$(@D)/bin/python $(PIP_INSTALL) -r $<
	touch $@
