# make demo   builds odoogen, and turns two throw-away Debian hosts into the sample's topology (as root on Debian; else it compiles)
# make test   installs what the tests need (as root on Debian) and runs them; ALL=1 adds the long ones
# make golden writes golden/, the reviewed build of the sample
# make docs   writes the parts of docs/ that are generated
# make bench  measures loading, building and pushing
# make fuzz   lets each fuzz test search for FUZZTIME

ALL =
export ALL

FUZZTIME = 10s

.PHONY: build demo test packages golden docs bench fuzz

build:
	go build -o odoogen ./cmd/odoogen

demo: build
	@.ci/demo

test: packages
	@test -z "$$(gofmt -l .)" || { echo 'not as gofmt writes it:'; gofmt -l .; exit 1; }
	go vet ./...
	go mod verify
	go mod tidy -diff
	go test -timeout 45m ./...
	@test -n "$(ALL)" || echo 'left out: the long tests, which make test ALL=1 runs'
	@test "$$(id -u)" = 0 && test -e /etc/debian_version || echo 'left out: all that boots hosts, which needs root on Debian'

packages:
	@.ci/packages

golden: build
	./odoogen build -o golden

docs:
	go test ./schema -run TestFieldReference -write

bench:
	go test -run '^$$' -bench . ./...

fuzz:
	@grep -rhoE '^func Fuzz[A-Za-z0-9_]+' --include='*_test.go' . | sed 's/func //' | sort -u | while read -r f; do \
		go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) \
			"$$(dirname "$$(grep -rlE "^func $$f\\(" --include='*_test.go' .)")" || exit 1; \
	done
