# Every target sets up what it needs by itself. `make help` lists them.
SHELL := /bin/bash
export CGO_ENABLED = 0
GO ?= go
GOLANGCI_VERSION := v2.8.0
GOLANGCI := bin/golangci-lint-$(GOLANGCI_VERSION)
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X turnero/internal/app.Version=$(VERSION)
WITH_SERVERS := $(GO) run ./test/servers/with --
# The suites share two cores with real database servers: more packages at once only make them slower.
TEST_FLAGS ?= -p 2 -timeout 14m

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: run
run: build ## build everything and start the demonstration (http://127.0.0.1:8080)
	bin/turnero serve --demo --listen 127.0.0.1:8080 --data data/demo $(ARGS)

.PHONY: build
build: ## build bin/turnero
	$(GO) build -ldflags '$(LDFLAGS)' -o bin/turnero ./cmd/turnero

.PHONY: test
test: ## run the whole suite, on SQLite and on PostgreSQL, MariaDB and Redis servers that it starts
	$(WITH_SERVERS) $(GO) test $(TEST_FLAGS) ./...

.PHONY: lint
lint: $(GOLANGCI) ## check style, imports and that generated files are current
	$(GO) vet ./...
	$(GOLANGCI) run ./...
	$(GO) run ./cmd/turnero openapi --check api/openapi.yaml
	$(GO) run ./cmd/turnero openapi --roles --check docs/roles.md

$(GOLANGCI):
	GOBIN=$(CURDIR)/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv bin/golangci-lint $@

.PHONY: generate
generate: ## write api/openapi.yaml and docs/roles.md anew
	$(GO) run ./cmd/turnero openapi --output api/openapi.yaml
	$(GO) run ./cmd/turnero openapi --roles --output docs/roles.md

.PHONY: bench
bench: build ## measure against bare WhatsApp clients in the same run (see docs/benchmarks.md)
	$(WITH_SERVERS) $(GO) run ./test/bench $(ARGS)

.PHONY: chaos
chaos: build ## break a running installation in every way and prove that nothing is lost (ARGS='-seed 7 -duration 10m')
	$(WITH_SERVERS) $(GO) run ./test/chaos $(ARGS)

.PHONY: soak
soak: build ## an hour with 500 lines and a fault every 30 s: memory and goroutines must stay flat
	$(WITH_SERVERS) $(GO) run ./test/chaos -soak -sessions 500 -people 1 -tenants 10 -duration 1h -frames=false $(ARGS)

.PHONY: web
web: ## check the pages (plain files, embedded as they are)
	@for f in web/demo/*.js internal/gateway/docs/*.js; do node --check $$f || exit 1; done; echo "pages: ok"

.PHONY: clean
clean: ## remove what was built
	rm -rf bin
