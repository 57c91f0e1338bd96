# Adjudge. `make help` lists what can be made.

.DEFAULT_GOAL := help
SHELL := /bin/sh

TEMPL := go run github.com/a-h/templ/cmd/templ@v0.3.1020

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z\/]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: generate
generate: node_modules/.package-lock.json ## Write generated code and bundle what the browser loads
	$(TEMPL) generate
	go run ./build/bundle
