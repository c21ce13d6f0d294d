# make demo   builds odoogen and compiles the sample, envs.cue
# make test   installs what the tests need (as root on Debian) and runs them all
# make golden writes golden/, the reviewed build of the sample, and the comments of its edits
# make docs   writes the parts of docs/ that are generated, and the picture
# make bench  measures loading and building
# make fuzz   lets each fuzz test search for FUZZTIME

FUZZTIME = 10s

.PHONY: build demo test packages golden docs bench fuzz

build:
	go build -o odoogen ./cmd/odoogen

demo: build
	@./odoogen version
	./odoogen build
	@echo 'built from envs.cue:'
	@echo "  $(CURDIR)/out/tests  Odoo, PostgreSQL, nginx: $$(find out/tests -type f | wc -l) files"
	@echo "  $(CURDIR)/out/ci     Jenkins, git mirror:     $$(find out/ci -type f | wc -l) files"

test: packages
	@test -z "$$(gofmt -l .)" || { echo 'not as gofmt writes it:'; gofmt -l .; exit 1; }
	go vet ./...
	go mod verify
	go mod tidy -diff
	go test ./...

packages:
	@.ci/packages

golden: build
	./odoogen build -o golden
	go test ./cmd/odoogen -run TestDiffComments -write

docs: build
	go test ./schema -run TestFieldReference -write
	./odoogen picture -o docs/topology.svg

bench:
	go test -run '^$$' -bench . ./...

fuzz:
	@grep -rhoE '^func Fuzz[A-Za-z0-9_]+' --include='*_test.go' . | sed 's/func //' | sort -u | while read -r f; do \
		go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) \
			"$$(dirname "$$(grep -rlE "^func $$f\\(" --include='*_test.go' .)")" || exit 1; \
	done
