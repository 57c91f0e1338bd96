# Adjudge. `make help` lists what can be made; README.md says what it needs.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

TOOL     := go tool -modfile=build/tools/go.mod
TEMPL    := $(TOOL) templ
STAGES   := go run ./build/stages
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS  := -s -w -X github.com/adjudge/adjudge/app.release=$(VERSION)
DESKTOP  := desktop,production,webkit2_41
# The demo's data directory: not the one that a real server on this machine uses.
DATA     ?= $(CURDIR)/data/demo
LISTEN   ?= 127.0.0.1:8484
# Which benchmarks, and for how long each: make bench BENCH=Submit BENCHTIME=3s
BENCH     ?= .
BENCHTIME ?= 1s
SOAK      ?= 10m
# What builds container images: docker, podman, or buildah.
ENGINE    ?= docker
# The processor they are for; the system in them is Linux, whatever this one is.
ARCH      ?= $(shell go env GOARCH)

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9\/]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: server ## Build, start the server with the demo project, print a sign-in link
	build/bin/adjudge demo --data '$(DATA)' --listen '$(LISTEN)'

.PHONY: dev
dev: modules ## The same, rebuilt and reloaded on every change of a source file
	go run ./build/dev --data '$(DATA)' --listen '$(LISTEN)'

.PHONY: modules
modules:
	@$(STAGES) modules >/dev/null || $(STAGES) modules

.PHONY: generate
generate: modules ## Write generated code and bundle what the browser loads
	$(TEMPL) generate -log-level=warn
	go run ./build/bundle

.PHONY: fmt
fmt: ## Format Go and templ sources
	gofmt -w $$(git ls-files '*.go' | grep -v _templ.go)
	$(TEMPL) fmt -log-level=warn frontend

.PHONY: lint
lint: ## Vet, lint and check types
	$(STAGES) vet types lint

.PHONY: test
test: ## Install what is missing, run every test, end with a table of stages
	$(STAGES)

.PHONY: test/race
test/race: ## Only the tests under the race detector
	$(STAGES) race

.PHONY: e2e
e2e: ## Only the browser tests
	$(STAGES) e2e

.PHONY: bench
bench: generate ## Run the benchmarks; compares with the last run where there is one
	@mkdir -p build/bench
	@if [ -f build/bench/new.txt ]; then mv build/bench/new.txt build/bench/old.txt; fi
	go test -run '^$$' -bench '$(BENCH)' -benchtime '$(BENCHTIME)' -benchmem -timeout 60m ./... | tee build/bench/new.txt
	@if [ -f build/bench/old.txt ]; then $(TOOL) benchstat build/bench/old.txt build/bench/new.txt; fi

.PHONY: bench/soak
bench/soak: generate ## Ten minutes at load; fails when memory, goroutines or files grow (SOAK=3m for less)
	ADJUDGE_SOAK='$(SOAK)' go test ./app -run '^TestSoak$$' -count=1 -timeout 2h -v

.PHONY: server
server: generate ## Build the server and command line: build/bin/adjudge (no cgo)
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o build/bin/adjudge .

.PHONY: desktop
desktop: generate ## Build the desktop window: build/bin/adjudge-desktop
	CGO_ENABLED=1 go build -trimpath -tags '$(DESKTOP)' -ldflags '$(LDFLAGS)' -o build/bin/adjudge-desktop .

.PHONY: package
package: server desktop ## Pack both for this system, with checksums: build/bin/*.tar.gz, *.deb
	go run ./build/pack -version '$(VERSION)'

.PHONY: image
image: generate ## Build a container image of the server with $(ENGINE) for linux/$(ARCH): no shell, no root
	rm -rf build/bin/image && mkdir -p build/bin/image/program/usr/local/bin build/bin/image/volume/data
	CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) go build -trimpath -ldflags '$(LDFLAGS)' -o build/bin/image/program/usr/local/bin/adjudge .
	chmod 700 build/bin/image/volume/data
	$(ENGINE) build --platform linux/$(ARCH) -f build/linux/Dockerfile -t adjudge -t 'adjudge:$(VERSION)' build/bin/image

.PHONY: clean
clean: ## Remove what was built (not the demo's data: that is rm -r data)
	rm -rf build/bin build/bench node_modules
	find frontend/static/dist -mindepth 1 ! -name .keep -delete
