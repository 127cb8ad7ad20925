# SPDX-License-Identifier: GPL-2.0-or-later
#
#   make            build/hopfault and build/hopchain
#   make demo       the main job on this machine, from nothing (root; installs what is missing);
#                   ENGINE=docker: on containers, in the engine that runs, else in one of its own
#   make lab-NAME   an experiment, its figures and its page: latency, ... (root; docs/labs.md); ENGINE=docker as above
#   make test       all tests (root; installs what is missing)
#   make bench      paired measurements
#   make help       all targets
#
# V=1 shows every command.
#
# SANITIZE=address,undefined builds into build/asan.

CC	?= cc
CLANG	?= clang
BPFTOOL	?= bpftool

SANITIZE ?=
BUILD	?= build$(if $(SANITIZE),/asan)
OUT	?= out/demo
ENGINE	?= lab
Q	:= $(if $(V),,@)
say	= $(if $(V),,@echo "  $(1)	$@")

CFLAGS	?= -O2 -g
VERSION	:= 0.1.0
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wno-unused-parameter -Wmissing-prototypes \
	   $(CFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all) \
	   -DHOPFAULT_VERSION='"$(VERSION)"' -Ibpf -Iuser -I$(BUILD) -MMD -MP
LIBS	= -lbpf -lelf -lz -lmnl -ljansson -lcurl -lcap-ng -lyaml -lcmark-gfm-extensions -lcmark-gfm -lpthread -lm

BPF_CFLAGS = -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -Wall -Wextra -Werror -Wno-unused-parameter \
	   -Wno-gnu-variable-sized-type-not-at-end -Ibpf -I/usr/include/$(shell $(CC) -dumpmachine) -MMD -MP

# hopchain is the lab's service: its main(), and the rest of its folder without the load generator. hopfault is
# everything else, and of that folder the load generator with what it shares with the service.
CHAIN_SRC := $(filter-out user/chain/load%,$(wildcard user/chain/*.c))
BASE_SRC  := $(filter-out user/base/yamldoc.c,$(wildcard user/base/*.c))
SERVICE_SRC := $(wildcard user/chain/service*.c) $(addprefix user/chain/,outcall.c retry.c breaker.c bulkhead.c gate.c)
FAULT_SRC := $(filter-out user/main.c user/chain/hopchain.c $(SERVICE_SRC),$(wildcard user/*/*.c))

BPF_SRC   := $(wildcard bpf/*.bpf.c)
SKELETONS := $(BPF_SRC:bpf/%.bpf.c=$(BUILD)/%.skel.h)

obj = $(patsubst %.c,$(BUILD)/%.o,$(1))

UNIT_SRC  := $(wildcard tests/unit/test_*.c)
UNIT_LIB  := $(filter-out $(UNIT_SRC),$(wildcard tests/unit/*.c))
UNIT_BIN  := $(UNIT_SRC:%.c=$(BUILD)/%)
PROG_SRC  := $(wildcard tests/prog/test_*.c)
PROG_LIB  := $(filter-out $(PROG_SRC),$(wildcard tests/prog/*.c))
PROG_BIN  := $(PROG_SRC:%.c=$(BUILD)/%)
TOOL_SRC  := $(wildcard tests/tools/*.c)
TOOL_BIN  := $(TOOL_SRC:%.c=$(BUILD)/%)
FUZZ_SRC  := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_BIN  := $(FUZZ_SRC:tests/fuzz/%.c=$(BUILD)/%)

.PHONY: all help setup demo test unit prog tools fuzz bench lint format clean
.SECONDARY:

all: $(BUILD)/hopfault $(BUILD)/hopchain

help:
	@sed -n 's/^#   //p' Makefile

$(BUILD)/hopfault: $(call obj,user/main.c $(FAULT_SRC))
	$(call say,LINK)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/hopchain: $(call obj,$(CHAIN_SRC) $(BASE_SRC))
	$(call say,LINK)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ -ljansson -lpthread -lm

# The service for an image FROM scratch, which has no libraries. getaddrinfo() asks /etc/hosts and DNS without them, which
# is all that it has to do there.
$(BUILD)/static/hopchain: $(call obj,$(CHAIN_SRC) $(BASE_SRC))
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(ALL_CFLAGS) -static -Wl,--no-warnings -o $@ $^ -ljansson -lpthread -lm

$(BUILD)/%.o: %.c | $(SKELETONS)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MF $(BUILD)/$*.bpf.d -c -o $@ $<

$(BUILD)/%.skel.h: $(BUILD)/%.bpf.o
	$(call say,GEN)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@.tmp
	@mv $@.tmp $@

# A test program may use every file of hopfault and of hopchain that has no main().
TESTED_OBJ = $(call obj,$(FAULT_SRC) $(SERVICE_SRC))

$(BUILD)/tests/unit/test_%: $(BUILD)/tests/unit/test_%.o $(call obj,$(UNIT_LIB)) $(TESTED_OBJ)
	$(call say,LINK)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS) -lcmocka

$(BUILD)/tests/prog/test_%: $(BUILD)/tests/prog/test_%.o $(call obj,$(PROG_LIB)) $(TESTED_OBJ)
	$(call say,LINK)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS) -lcmocka

$(BUILD)/tests/tools/progbench: $(call obj,tests/prog/harness.c tests/prog/packets.c)
$(BUILD)/tests/tools/%: $(BUILD)/tests/tools/%.o $(TESTED_OBJ)
	$(call say,LINK)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS)

# libFuzzer needs clang for the code that it looks into. It has no objects, so anything that changed makes it anew.
$(BUILD)/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/promise.h $(wildcard bpf/*.h user/*/*.[ch]) $(SKELETONS)
	$(call say,FUZZ)
	$(Q)$(CLANG) -std=gnu11 -D_GNU_SOURCE -O1 -g -fsanitize=fuzzer,address,undefined -Ibpf -Iuser -I$(BUILD) \
		-DHOPFAULT_VERSION='"$(VERSION)"' -o $@ $< $$(sed -n 's,^ \* uses: ,,p' $<) -ljansson -lyaml -lm

unit: $(UNIT_BIN)
prog: $(PROG_BIN)
tools: $(TOOL_BIN)
fuzz: $(FUZZ_BIN)

setup:
	scripts/setup

demo: setup
	$(MAKE) all $(if $(filter docker,$(ENGINE)),$(BUILD)/static/hopchain)
	OUT=$(OUT) ENGINE=$(ENGINE) scripts/demo

# OUT is the demo's folder unless it was given.
lab-%: setup
	$(MAKE) all $(if $(filter docker,$(ENGINE)),$(BUILD)/static/hopchain)
	OUT=$(if $(filter file,$(origin OUT)),out/$@,$(OUT)) ENGINE=$(ENGINE) scripts/labs/$* $(if $(SHORT),--short)

test: setup
	tests/run

bench: setup
	$(MAKE) all tools
	scripts/bench/run

lint:
	scripts/lint

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf build

-include $(shell find $(BUILD) -type f -name '*.d' -not -path '*/packages/*' 2>/dev/null)
