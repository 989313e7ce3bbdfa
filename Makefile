# Everything Sluice needs besides Go, Node/npm and make is fetched by these
# targets: Go modules by go.sum, the ClickHouse engine by package-lock.json.

GO      ?= go
ENGINE  := node_modules/.package-lock.json
SEED    ?= 1
SOURCES  = $(shell find . -name '*.go' -not -path './node_modules/*') $(shell find dashboards internal/warehouse cmd/sluice/demo -type f)

.PHONY: demo test check generate generated bench bench-events bench-streams bench-safe bench-readouts simulate pictures rehearse torment chaos sdk-kills cluster fuzz fuzz-stats engine build clean bench-rollouts replay manifests

demo: build engine          ## replay a real experiment and watch it being rolled back
	./bin/sluice demo

test: engine                ## every test; those that need the engine or a browser say so when they skip
	$(GO) test -p 4 -timeout 30m ./...   # many packages wait for processes most of the time
	cd bench/peers && $(GO) test ./...
	cd deploy/check && $(GO) test ./...

manifests:                  ## the files of deploy, against Kubernetes, NATS, GitHub Actions and the program
	cd deploy/check && $(GO) test ./...

check: engine bin/staticcheck generated               ## what a change must pass before it is committed
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo 'run gofmt -w on these'; exit 1; }
	$(GO) vet ./...
	./bin/staticcheck ./...
	@./bench/vulnerabilities.sh
	$(GO) test ./dashboards -run '^TestPages_inChromium$$' -count 1 -every
	$(GO) test -race ./...

generate: bin/flagdwire     ## write the code of flagd's services anew
	./bin/flagdwire bin internal/flagd/gen

generated: bin/flagdwire    ## that code is what the generators make
	@fresh=$$(mktemp -d) && ./bin/flagdwire bin $$fresh && diff -r -x README.md $$fresh internal/flagd/gen && rm -r $$fresh || { echo 'run make generate'; exit 1; }

bench: engine               ## speed, as ratios within one run
	$(GO) test -run '^$$' -bench . -benchmem ./...
	cd bench/peers && $(GO) test -run '^$$' -bench . -benchmem ./...

bench-streams: build engine ## 10,000 streams: how long a change takes, what each costs, how fast all come back
	$(GO) run ./bench/streams --clients 10000 --changes 100

BREACHES = 15
bench-safe: build engine    ## 1,000 streams and a breach in the data, BREACHES times: how long until every SDK holds the safe variant
	$(GO) run ./bench/streams --clients 1000 --breaches $(BREACHES)

bench-readouts: build engine ## readouts of a large rollout: from raw events, from totals, after new events, next to a plain join
	$(GO) run ./bench/readouts

bench-events: build engine  ## events acknowledged and loaded a second, next to a bare server and to the engine alone; memory
	$(GO) run ./bench/events --seed $(SEED)

pictures: engine             ## the pictures of docs/pages, taken in Chromium of the pages that tests look at
	$(GO) test ./dashboards -count 1 -run '^TestPages_inChromium$$/^light$$/^(home|rollout-busy|readout|simulate)$$' -shots $(CURDIR)/docs/pages

simulate:                   ## false alarms, power, coverage and time to detect of the statistics, in made-up rollouts
	$(GO) run ./bench/simulate --seed $(SEED)

rehearse:                   ## a release, 1,000 times in every scenario: false alarms, time to detect, units harmed, next to a fixed rule
	$(GO) run ./bench/rehearse --seeds 1000 --seed $(SEED) --out docs/rehearsals/table.md

bench-rollouts:             ## one pass of the controller over 1,000 rollouts with ten metrics each: time, evidence, memory
	$(GO) run ./bench/rollouts

torment:                    ## the laws over a random walk of 100,000 steps; 300 releases whose controllers are killed, 200 with one that is stopped and resumed
	SLUICE_WALK=100000 SLUICE_KILLS=300 SLUICE_STOPS=200 $(GO) test -run 'TestLongWalk|TestKillRounds|TestStoppedAndResumed' -v -timeout 60m ./decisions

replay:                     ## the state after 100,000 random commands, live, from zero and from snapshots
	SLUICE_REPLAY=100000 $(GO) test -run TestReplay -v -timeout 30m ./internal/harness

chaos: bin/sluice-chaos engine ## kill -9, repeats, disorder and an engine that lies: nothing lost, nothing doubled
	$(GO) run ./bench/chaos --seed $(SEED)

sdk-kills: build engine     ## a service under load whose server is killed 20 times: nothing lost, nothing doubled, no evaluation interrupted
	SLUICE_BINARY=$(CURDIR)/bin/sluice $(GO) test ./examples/checkout -run '^TestKills$$' -count 1 -v -timeout 30m -args -kills 20

cluster: build engine       ## kill -9 of 20 leaders of three NATS servers under load: nothing lost, nothing doubled
	$(GO) run ./bench/cluster --kills 20 --seed $(SEED)

FUZZ = 20s
fuzz:                       ## made-up input for every decoder of what comes from outside, FUZZ each
	@grep -ro '^func Fuzz[A-Za-z]*' --include='*_test.go' --exclude-dir=node_modules . | sed 's|/[^/]*:func | |' | \
		while read -r room name; do $(GO) test $$room -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZ) || exit 1; done

QUESTIONS = 10000000
fuzz-stats:                 ## random questions to the calculator: no panic, no NaN, p from 0 to 1, intervals that hold their estimate
	SLUICE_QUESTIONS=$(QUESTIONS) SLUICE_SEED=$(SEED) $(GO) test ./stats/calculator -run TestRandomQuestions -v -timeout 3h

build: bin/sluice

bin/sluice: $(SOURCES) go.mod go.sum
	$(GO) build -o $@ ./cmd/sluice

bin/sluice-chaos: $(SOURCES) go.mod go.sum
	$(GO) build -tags chaos -o $@ ./cmd/sluice

bin/staticcheck: bench/tools/go.mod
	cd bench/tools && $(GO) build -o ../../bin/ honnef.co/go/tools/cmd/staticcheck golang.org/x/vuln/cmd/govulncheck

bin/flagdwire: bench/tools/go.mod bench/tools/flagdwire/main.go
	cd bench/tools && $(GO) build -o ../../bin/ google.golang.org/protobuf/cmd/protoc-gen-go connectrpc.com/connect/cmd/protoc-gen-connect-go ./flagdwire

engine: $(ENGINE)

$(ENGINE): package.json package-lock.json
	npm ci --ignore-scripts
	@touch $@

clean:
	rm -rf bin data
