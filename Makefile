# make demo   builds odoogen, and turns two throw-away Debian hosts into the sample's topology (as root on Debian; else it compiles)
# make test   installs what the tests need (as root on Debian) and runs them; ALL=1 adds the long ones
# make golden writes golden/, the reviewed build of the sample, and the comments of its edits
# make docs   writes the parts of docs/ that are generated, and the picture
# make bench  measures loading, building and pushing
# make sample pushes the sample to two lab hosts end to end: make demo, and then each kind of change; ALL=1 takes all of them
# make faults strikes pushes to lab hosts with faults; ALL=1 takes every fault after every phase
# make fuzz-push pushes random changes to the sample's hosts, and strikes at random: PUSHES of them, within PUSHES_TIME
# make machines pushes the sample to two emulated machines, and takes the power from one in each of LOSSES pushes: 40 min
# make fuzz   lets each fuzz test search for FUZZTIME, draws specs for as long, and damages three DAMAGED times

ALL =
export ALL

# One static program, which runs on any Debian, and needs no C compiler to build.
export CGO_ENABLED = 0

FUZZTIME = 10s
DAMAGED = 300

.PHONY: build demo test packages golden docs bench sample faults fuzz-push machines fuzz

build:
	go build -o odoogen ./cmd/odoogen

demo: build
	@.ci/demo

test: packages
	@test -z "$$(gofmt -l .)" || { echo 'not as gofmt writes it:'; gofmt -l .; exit 1; }
	go vet ./...
	go mod verify
	go mod tidy -diff
	@rm -rf evidence
	EVIDENCE=$(CURDIR)/evidence go test -timeout $(if $(ALL),3h,80m) ./internal/push ./... # the longest first, beside the others
	@cat evidence/*.md 2>/dev/null || true
	@test -n "$(ALL)" || echo 'left out: the long tests, which make test ALL=1 runs'
	@test "$$(id -u)" = 0 && test -e /etc/debian_version || echo 'left out: all that boots hosts, which needs root on Debian'

packages:
	@.ci/packages

golden: build
	./odoogen build -o golden
	go test ./cmd/odoogen -run TestDiffComments -write

docs: build
	go test ./schema -run TestFieldReference -write
	./odoogen picture -o docs/topology.svg

bench: packages
	@command -v ansible-playbook >/dev/null || { test "$$(id -u)" -eq 0 && apt-get install -y --no-install-recommends ansible-core >/dev/null; } || \
		echo 'left out: Ansible to compare with: apt-get install ansible-core'
	go test -run '^$$' -bench . -timeout 1h ./...

sample: packages
	SAMPLE=1 go test ./cmd/odoogen -run 'TestSample$$' -v -timeout 2h

faults: packages
	go test ./internal/push -run 'TestFaults' -v -timeout 2h

fuzz-push: PUSHES = 100
fuzz-push: PUSHES_TIME = 60m
fuzz-push: packages
	PUSHES=$(PUSHES) PUSHES_TIME=$(PUSHES_TIME) go test ./cmd/odoogen -run 'TestRandomPushes$$' -v -timeout 2h

machines: LOSSES = 6
machines:
	@.ci/packages internal/lab/machine-packages.txt
	MACHINES=$(LOSSES) go test ./cmd/odoogen -run 'TestMachines$$' -v -timeout 3h

fuzz: packages
	go test ./cmd/odoogen -run 'TestWhatVetAcceptsTheHostsAccept$$' -v -timeout 0 -spec $$(date +%s) -search $(FUZZTIME)
	go test ./generators -run TestDamagedSpecsAreRefused -timeout 0 -rapid.seed $$(date +%s) -rapid.checks $(DAMAGED)
	@grep -rhoE '^func Fuzz[A-Za-z0-9_]+' --include='*_test.go' . | sed 's/func //' | sort -u | while read -r f; do \
		go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x \
			"$$(dirname "$$(grep -rlE "^func $$f\\(" --include='*_test.go' .)")" || exit 1; \
	done
