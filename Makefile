export CGO_ENABLED := 0

.PHONY: help build demo test soak unit lint bench bench-image bench-sched quality microbench openstack openstack-stop cover fmt clean-machine
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{ printf "  make %-14s %s\n", $$1, $$2 }'
build: ## build the daemons, the command line and access-port into bin/
	@for b in moset:daemons/moset moset-region:daemons/region moset-host:daemons/host moset-registry:daemons/registry moset-allinone:daemons/allinone access-port:examples/access-port; do echo "build bin/$${b%%:*}" && go build -trimpath -o bin/$${b%%:*} ./$${b#*:} || exit 1; done
demo: ## root: push an image, create a set, fetch its page, delete it without a trace (KEEP=1 leaves it running)
	@scripts/demo
test: ## root: every test, integration included, nothing skipped (KEEP=1 leaves the private daemons running)
	@scripts/test
soak: ## root: daemons killed again and again (MOSET_SOAK=10m is how long), 10,000 pushes beside the garbage collector (MOSET_SOAK_PUSHES), look-ups among 100,000 records
	@scripts/soak
openstack: ## root: start a private Keystone, Glance, Swift and MariaDB (scripts/openstack env says where they are)
	@scripts/openstack install && scripts/openstack start
openstack-stop: ## root: stop them
	@scripts/openstack stop
unit: ## the tests that need no root, under a minute
	@go list ./... | grep -vE '/integration(/|$$)|/test/' | xargs go test -count=1
lint: ## golangci-lint, shellcheck, gofmt and go vet
	@scripts/lint
bench: ## root: every figure beside its peer, one line each (bench/README.md; ARGS="-only create -spans")
	@scripts/bench $(ARGS)
bench-image: ## root: push, pull and load on a real Glance beside docker-registry (ARGS="-only push,child -on sha512")
	@scripts/bench-image $(ARGS)
bench-sched: ## placements per CPU-second in memory; PEERS=1 puts Nomad and kube-scheduler beside it (ARGS="-only pack -hosts 10000")
	@scripts/bench-sched $(ARGS)
quality: ## the default placement policy beside simple ones: 20 seeds of 48 workloads, some ten minutes; fails if it places less
	@go run ./examples/fleet-sim -compare -seeds 20
microbench: ## the Go benchmarks of the packages, which need no root
	@go list ./... | grep -vE '/integration(/|$$)|/test/' | xargs go test -run '^$$' -bench . -benchmem
cover: ## statement coverage of the tests that need no root, into bin/cover.out
	@mkdir -p bin && go list ./... | grep -vE '/integration(/|$$)|/test/' | xargs go test -coverprofile=bin/cover.out && go tool cover -func=bin/cover.out | tail -n 1
fmt: ## gofmt every file in place
	@gofmt -s -w bench daemons examples internal pkg scripts test doc.go
clean-machine: ## root: stop the private daemons, remove their state and the packages make installed
	@scripts/machine clean
