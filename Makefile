# dsclient. `make help` lists the targets.
#
# VM selects the interpreter: lua5.4 (default), luajit, lua5.3, lua5.1.
# All build output goes to build/$(VM) (build/$(VM)-asan with SAN=1).

VM ?= lua5.4
SAN ?=
BUILD := build/$(VM)$(if $(SAN),-asan)

PKG_CONFIG ?= pkg-config
LUA_INCDIR ?= $(shell $(PKG_CONFIG) --variable=includedir $(VM) 2>/dev/null)
LUA_CFLAGS := $(if $(LUA_INCDIR),-I$(LUA_INCDIR)) \
  $(shell $(PKG_CONFIG) --cflags-only-I $(VM) 2>/dev/null)
CURL_CFLAGS := $(shell $(PKG_CONFIG) --cflags libcurl 2>/dev/null)
CURL_LIBS := $(or $(shell $(PKG_CONFIG) --libs libcurl 2>/dev/null),-lcurl)
LUA ?= $(VM)
LUA_VERSION = $(shell $(LUA) -e 'print((_VERSION:gsub("Lua ", "")))')

PREFIX ?= /usr/local
DESTDIR ?=
INST_LIBDIR ?= $(PREFIX)/lib/lua/$(LUA_VERSION)
INST_LUADIR ?= $(PREFIX)/share/lua/$(LUA_VERSION)
INST_BINDIR ?= $(PREFIX)/bin

CC ?= cc
OPTIMISE ?= $(if $(SAN),-O1,-O2) -g
# Lua's own list, without the C89 rule on declarations
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wundef -Wwrite-strings \
  -Wredundant-decls -Wdisabled-optimization -Wdouble-promotion \
  -Wmissing-declarations -Wmissing-prototypes -Wnested-externs \
  -Wstrict-prototypes -Wc++-compat -Wold-style-definition \
  $(if $(CI),-Werror)
SANFLAGS := $(if $(SAN),-fsanitize=address -fsanitize=undefined \
  -fno-sanitize-recover=all -fno-omit-frame-pointer)
ALL_CFLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L $(OPTIMISE) $(WARN) \
  $(SANFLAGS) -fPIC -fno-plt -fvisibility=hidden -Icsrc $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = -shared $(SANFLAGS) $(LDFLAGS)

OBJ := $(BUILD)/obj
LIB := $(BUILD)/dsclient
objects = $(patsubst csrc/%.c,$(OBJ)/%.o,$(wildcard $(1)))
CORE_OBJ := $(call objects,csrc/core/*.c csrc/lua/*.c)
CURL_OBJ := $(call objects,csrc/curl/*.c) \
  $(patsubst %,$(OBJ)/core/%.o,buf env error header) $(OBJ)/lua/fork.o
SYS_OBJ := $(call objects,csrc/sys/*.c)
MODULES := $(LIB)/core.so $(LIB)/curl.so $(LIB)/sys.so

.PHONY: all
# build the three C modules of one VM
all: $(MODULES)

$(LIB)/core.so: $(CORE_OBJ)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^

# nodelete: a resolver thread of libcurl may outlive the Lua state
$(LIB)/curl.so: $(CURL_OBJ)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -Wl,-z,nodelete -o $@ $^ $(CURL_LIBS)

$(LIB)/sys.so: $(SYS_OBJ)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lpthread

$(OBJ)/curl/%.o: CPPFLAGS += $(CURL_CFLAGS)
$(OBJ)/%.o: csrc/%.c
	@mkdir -p $(@D)
	$(CC) $(LUA_CFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

-include $(CORE_OBJ:.o=.d) $(CURL_OBJ:.o=.d) $(SYS_OBJ:.o=.d)

TREE_PATH := $(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua;;
TREE_CPATH := $(CURDIR)/$(BUILD)/?.so;;
RUN := LUA_PATH="$(TREE_PATH)" LUA_CPATH="$(TREE_CPATH)"

.PHONY: env
# print what makes Lua find the tree: eval "$(make -s env)"
env:
	@echo 'export LUA_PATH="$(TREE_PATH)"; export LUA_CPATH="$(TREE_CPATH)"'

.PHONY: help
# this list
help:
	@awk '/^# / { text = substr($$0, 3); next } \
	  /^[a-z-]+:/ && text { sub(/:.*/, ""); printf "%-14s %s\n", $$0, text } \
	  { text = "" }' Makefile
	@echo 'VM=lua5.4|luajit|lua5.3|lua5.1 selects the interpreter, SAN=1' \
	  'ASan and UBSan, CI=1 makes warnings errors.'

# --- Setting up --------------------------------------------------------------

.PHONY: deps deps-monitor deps-nginx deps-test deps-bench deps-fuzz deps-conformance
# install every Debian package that any target here needs
deps: deps-conformance deps-fuzz deps-bench
# … what `make monitor` needs
deps-monitor:
	@.ci/deps monitor
# … what the examples for nginx need
deps-nginx:
	@.ci/deps nginx
# … what the tests need
deps-test:
	@.ci/deps test
# … what `make bench` compares with
deps-bench:
	@.ci/deps bench
# … what `make fuzz` needs
deps-fuzz:
	@.ci/deps fuzz
# … what the tests on a real server need
deps-conformance:
	@.ci/deps conformance

# What pkg-config says is read when make starts, so a target that sets up first
# leaves what it builds to a second make.
MAKEFLAGS += --no-print-directory

# --- Running -----------------------------------------------------------------

.PHONY: monitor demo
# set up, build, and watch the sandbox until Ctrl-C [SECONDS=20] [DRY_RUN=1]
monitor: deps-monitor
	@$(MAKE) -s VM=lua5.4 SAN= demo

demo: all
	@$(RUN) SECONDS="$(SECONDS)" DRY_RUN="$(DRY_RUN)" \
	  exec $(LUA) examples/demo.lua

.PHONY: example-nginx
# set up, build, start nginx with an example [EXAMPLE=gateway] [PORT=8080]
example-nginx: deps-nginx
	@$(MAKE) -s VM=lua5.4 SAN= all
	@$(MAKE) -s VM=luajit SAN= all
	@PORT="$(PORT)" exec examples/nginx/run $(EXAMPLE)

# --- Proof -------------------------------------------------------------------

BUSTED ?= $(shell command -v busted)
SPEC ?= spec
HANDLER := $(if $(DSCLIENT_SUMMARY),-o spec/support/summary.lua)
SPEC_MAX_S ?= 1200
# in the foreground, so that Ctrl-C ends it
BUSTED_RUN = $(RUN) timeout --foreground -k 10 $(SPEC_MAX_S) $(PRELOAD) \
  $(LUA) $(BUSTED) $(HANDLER) $(BUSTED_ARGS)

# The runtimes have to be there before an interpreter that lacks them.
SAN_LIBS = $(foreach lib,libasan.so libubsan.so, \
  $(shell $(CC) -print-file-name=$(lib)))
PRELOAD = $(if $(SAN),env LD_PRELOAD="$(strip $(SAN_LIBS))" \
  ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1)

.PHONY: spec
# the specs of one VM: make spec VM=luajit SPEC=spec/cache_spec.lua
spec: all $(BUILD)/units
	$(BUSTED_RUN) $(SPEC)

# asks the core what no binding asks; made as the core is
$(BUILD)/units: spec/support/units.c $(call objects,csrc/core/*.c)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ -lm

.PHONY: test
# set up, all specs on Lua 5.4 and LuaJIT, smoke on 5.1 and 5.3, the fuzz corpus
test: deps-test
	@$(MAKE) test-ready

SUITE_VMS := lua5.4 luajit
SMOKE_VMS := lua5.1 lua5.3

.PHONY: test-ready
test-ready:
	@failed=; \
	for vm in $(SUITE_VMS); do \
	  .ci/tally $$vm $(MAKE) -s spec VM=$$vm || failed=1; \
	done; \
	for vm in $(SMOKE_VMS); do \
	  .ci/tally $$vm $(MAKE) -s spec VM=$$vm SPEC=spec/smoke.lua || \
	    failed=1; \
	done; \
	.ci/tally fuzz $(MAKE) -s fuzz-replay || failed=1; \
	.ci/tally --total $(SUITE_VMS) $(SMOKE_VMS) fuzz && [ -z "$$failed" ]

.PHONY: lint
# luacheck, C warnings as errors, and the rules of the house
lint: deps-test
	@.ci/tally lint .ci/lint

.PHONY: asan
# all specs on Lua 5.4 under AddressSanitizer and UBSan
asan: deps-test
	@.ci/tally asan $(MAKE) -s spec VM=lua5.4 SAN=1

# The specs of the core, its bindings and the system calls, by their names.
C_SPECS = $(sort $(wildcard $(patsubst %.c,spec/%_spec.lua,\
  $(notdir $(wildcard csrc/core/*.c csrc/lua/*.c csrc/sys/*.c)))))

.PHONY: valgrind
# the specs of the core and the bindings on Lua 5.4 under valgrind
valgrind: deps-test
	@.ci/tally valgrind $(MAKE) -s spec VM=lua5.4 SAN= \
	  SPEC="$(C_SPECS)" PRELOAD="valgrind -q --error-exitcode=9 \
	  --leak-check=full --errors-for-leak-kinds=definite \
	  --show-leak-kinds=definite --child-silent-after-fork=yes"

.PHONY: torture
# all specs, sanitizers, a collector that never rests; a million faults, twice
torture: deps-test
	@.ci/tally torture $(MAKE) -s spec VM=lua5.4 SAN=1 \
	  BUSTED_ARGS="--helper=spec/support/torture.lua" SPEC_MAX_S=3600
	@DSCLIENT_FAULTS=1000000 .ci/tally faults $(MAKE) -s spec VM=lua5.4 \
	  SAN= SPEC="spec/faults_spec.lua spec/concurrent_faults_spec.lua" \
	  SPEC_MAX_S=7200

.PHONY: coverage
# what the specs reach of the core and its bindings; fails below the goals
coverage: deps-test
	@find build/coverage -name '*.gcda' -delete 2>/dev/null; \
	.ci/tally coverage $(MAKE) -s coverage-ready

# Without the specs that build the core anew, and the one that names what the
# core may call: gcov's runtime is in it.
COVERAGE_SPECS = $(filter-out spec/bench_spec.lua spec/plants_spec.lua,\
  $(sort $(wildcard spec/*_spec.lua spec/*/*_spec.lua)))

.PHONY: coverage-ready
coverage-ready:
	@$(MAKE) -s spec VM=lua5.4 SAN= BUILD=build/coverage OPTIMISE="-O0 -g" \
	  CFLAGS=--coverage LDFLAGS=--coverage SPEC="$(COVERAGE_SPECS)" \
	  BUSTED_ARGS=--filter-out=malloc
	@lua5.4 spec/support/coverage.lua build/coverage/obj

# Each a fuzz target: a C file, or a script that a Lua state runs.
FUZZ_TARGETS := $(sort $(basename $(notdir \
  $(wildcard spec/fuzz/*.c spec/fuzz/*.lua))))
FUZZERS = $(FUZZ_TARGETS:%=$(BUILD)/fuzz/%)
FUZZ_PARTS := spec/fuzz/support/harness.c
# what runs a target: libFuzzer, or a program that takes its inputs from files
FUZZ_MAIN ?= spec/fuzz/support/replay.c
# clang of Debian 12, in a room of its own: objects for libFuzzer have marks
FUZZ_MAKE = $(MAKE) -s VM=lua5.4 SAN=1 BUILD=build/fuzz CC=clang FUZZ_MAIN= \
  CFLAGS="-fsanitize=fuzzer-no-link,float-cast-overflow" \
  FUZZ_LDFLAGS=-fsanitize=fuzzer

.PHONY: fuzz
# set up, then look for inputs that break a target, each so long [SECONDS=60]
fuzz: deps-fuzz
	@$(FUZZ_MAKE) fuzzers
	@.ci/fuzz look $(or $(SECONDS),60) $(TARGETS)

.PHONY: fuzz-corpus
# keep in spec/fuzz/corpus what is needed of the inputs that `make fuzz` found
fuzz-corpus: deps-fuzz
	@$(FUZZ_MAKE) fuzzers
	@.ci/fuzz merge $(TARGETS)

.PHONY: fuzz-replay
# run each target over its corpus, with sanitizers
fuzz-replay:
	@$(MAKE) -s VM=lua5.4 SAN=1 fuzzers
	@failed=; for target in $(FUZZ_TARGETS); do \
	  build/lua5.4-asan/fuzz/$$target spec/fuzz/corpus/$$target/* || \
	    failed=1; \
	done; [ -z "$$failed" ]

.PHONY: fuzzers
fuzzers: $(FUZZERS)

FUZZ_LINK = $(CC) $(LUA_CFLAGS) -Ispec/fuzz/support $(ALL_CFLAGS) \
  $(FUZZ_LDFLAGS) -o $@ $(filter %.c %.o,$^) \
  $(shell $(PKG_CONFIG) --libs $(VM)) -lm
FUZZ_NEEDS = $(FUZZ_PARTS) $(FUZZ_MAIN) $(wildcard spec/fuzz/support/*.h) \
  $(CORE_OBJ)

$(BUILD)/fuzz/%: spec/fuzz/%.c $(FUZZ_NEEDS)
	@mkdir -p $(@D)
	$(FUZZ_LINK)

$(BUILD)/fuzz/%: spec/fuzz/%.lua spec/fuzz/support/script.c $(FUZZ_NEEDS)
	@mkdir -p $(@D)
	$(FUZZ_LINK) -DDSC_FUZZ_SCRIPT='"$<"'

SEEDS ?= 10000
FIRST ?= 1
SEED ?=
JOBS ?= $(shell nproc 2>/dev/null || echo 1)
SIM := $(RUN) $(LUA) spec/sim/command.lua

.PHONY: sim
# simulate clients under faults: [SEEDS=10000] [FIRST=1], or replay one: SEED=
sim: all
	@$(SIM) $(if $(SEED),seed $(SEED),seeds $(FIRST) $(SEEDS) $(JOBS))

.PHONY: sim-plants
# does the simulator find the faults that spec/sim/plants.lua names? [PLANTS=3]
sim-plants: all
	@$(RUN) $(LUA) spec/sim/plant.lua build/plants $(JOBS) $(PLANTS)

.PHONY: soak
# tasks, faults, clients that come and go: no memory is left [SECONDS=3600]
soak: all
	@$(RUN) $(LUA) spec/bed/command.lua soak $(or $(SECONDS),3600)

.PHONY: conformance
# set up, start real DolphinSchedulers, run the specs of conformance/ on them
conformance: deps-conformance
	@.ci/tally conformance conformance/run

.PHONY: bench
# measure, and compare with peers measured in the same run
bench: deps-bench
	@$(MAKE) -s VM=$(BESIDE) bench-parts
	@$(MAKE) -s bench-ready BENCH_ARGS="--beside $(BESIDE) $(BENCH_ARGS)"

.PHONY: bench-docs
# measure, and write docs/performance.md anew
bench-docs: bench
	@$(LUA) bench/docs.lua $(BENCH_OUT) docs/performance.md

# the VM that `make bench` looks at beside VM
BESIDE := $(if $(filter luajit,$(VM)),lua5.4,luajit)
BENCH_ROOM := $(BUILD)/bench
BENCH_GO := build/bench/go_call
BENCH_OUT ?= build/bench.json
# The last CPU that we may use, for clients and servers alike: what a call costs
# depends on whether its server has to be woken on another one.
BENCH_PIN = $(addprefix taskset -c ,$(shell taskset -cp $$$$ 2>/dev/null | \
  sed 's/.*[-, ]//'))

.PHONY: bench-parts
bench-parts: all $(BENCH_ROOM)/core $(BENCH_ROOM)/bare_curl.so \
  $(if $(shell command -v go),$(BENCH_GO))

.PHONY: bench-ready
bench-ready: bench-parts
	@LUA_PATH="$(CURDIR)/?.lua;$(TREE_PATH)" LUA_CPATH="$(TREE_CPATH)" \
	  $(BENCH_PIN) timeout --foreground -k 10 600 $(LUA) bench/run.lua \
	  $(BENCH_ROOM) $(BENCH_OUT) $(BENCH_ARGS)

$(BENCH_ROOM)/core: bench/core.c $(call objects,csrc/core/*.c)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^

$(BENCH_ROOM)/bare_curl.so: bench/bare_curl.c csrc/lua/compat.h
	@mkdir -p $(@D)
	$(CC) $(LUA_CFLAGS) $(CURL_CFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ \
	  $< $(CURL_LIBS)

# all it needs is at hand: nothing is downloaded
$(BENCH_GO): bench/go_call.go
	@mkdir -p $(@D)
	GOTOOLCHAIN=local CGO_ENABLED=0 GOCACHE=$(CURDIR)/$(@D)/go-cache \
	  go build -o $@ $<

# --- Shipping ----------------------------------------------------------------

.PHONY: install
# install one VM's modules and commands [DESTDIR=] [PREFIX=/usr/local]
install: all
	install -d $(addprefix $(DESTDIR),$(INST_LIBDIR)/dsclient $(INST_BINDIR))
	install -m 644 $(MODULES) $(DESTDIR)$(INST_LIBDIR)/dsclient
	cd lua && find . -name '*.lua' -exec sh -c 'for file; do \
	  install -D -m 644 "$$file" "$(INSTALL_LUA)/$$file"; done' sh {} +
	for file in $(wildcard bin/*); do \
	  sed '1s|^#!.*|#!/usr/bin/env $(LUA)|' $$file \
	    >$(DESTDIR)$(INST_BINDIR)/$${file#bin/} && \
	  chmod 755 $(DESTDIR)$(INST_BINDIR)/$${file#bin/} || exit 1; done

INSTALL_LUA = $(abspath $(DESTDIR)$(INST_LUADIR))

# Where OpenResty looks for what is not its own.
RESTY_PREFIX = $(if $(filter file,$(origin PREFIX)),/usr/local/openresty,$(PREFIX))
RESTY_LUADIR ?= $(RESTY_PREFIX)/site/lualib
RESTY_LIBDIR ?= $(RESTY_LUADIR)
# what runs in nginx is what these two rocks have, and sys for state files
RESTY_ROCKS := $(addprefix rockspec/,dsclient-core-scm-1.rockspec \
  lua-resty-dsclient-scm-1.rockspec)
RESTY_BUILD := build/openresty

.PHONY: install-openresty
# install for OpenResty LUA_INCDIR=… [PREFIX=/usr/local/openresty] [DESTDIR=]
install-openresty:
	@$(MAKE) VM=luajit SAN= BUILD=$(RESTY_BUILD) \
	  $(RESTY_BUILD)/dsclient/core.so $(RESTY_BUILD)/dsclient/sys.so
	install -d $(DESTDIR)$(RESTY_LIBDIR)/dsclient
	install -m 644 $(RESTY_BUILD)/dsclient/core.so \
	  $(RESTY_BUILD)/dsclient/sys.so $(DESTDIR)$(RESTY_LIBDIR)/dsclient
	for file in $$(sed -n 's|.*"lua/\(.*\.lua\)".*|\1|p' $(RESTY_ROCKS)); do \
	  install -D -m 644 "lua/$$file" \
	    "$(DESTDIR)$(RESTY_LUADIR)/$$file" || exit 1; done

.PHONY: rockspecs
# write the rockspecs anew from the files of the tree
rockspecs:
	lua5.4 rockspec/update.lua

.PHONY: docs
# write the manual and the type definitions anew from the operations table
docs:
	lua5.4 docs/generate.lua

.PHONY: sources
# print what each C module is made of, one line each
sources:
	@echo core $(CORE_OBJ:$(OBJ)/%.o=csrc/%.c)
	@echo curl $(CURL_OBJ:$(OBJ)/%.o=csrc/%.c)
	@echo sys $(SYS_OBJ:$(OBJ)/%.o=csrc/%.c)

.PHONY: clean
# remove all that was built; conformance servers are ended first
clean:
	@for pid in $(wildcard build/conformance/*/pid); do \
	  DS_RUN=$${pid%/pid} conformance/real-ds stop; done
	rm -rf build
