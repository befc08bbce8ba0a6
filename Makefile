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
  -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
ALL_CFLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L $(OPTIMISE) $(WARN) \
  $(SANFLAGS) -fPIC -fvisibility=hidden -Icsrc $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = -shared $(SANFLAGS) $(LDFLAGS)

OBJ := $(BUILD)/obj
LIB := $(BUILD)/dsclient
objects = $(patsubst csrc/%.c,$(OBJ)/%.o,$(wildcard $(1)))
CORE_OBJ := $(call objects,csrc/core/*.c csrc/lua/*.c)
CURL_OBJ := $(call objects,csrc/curl/*.c)
SYS_OBJ := $(call objects,csrc/sys/*.c)
MODULES := $(LIB)/core.so $(LIB)/curl.so $(LIB)/sys.so

.PHONY: all
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
	$(CC) $(ALL_LDFLAGS) -o $@ $^

$(OBJ)/curl/%.o: CPPFLAGS += $(CURL_CFLAGS)
$(OBJ)/%.o: csrc/%.c
	@mkdir -p $(@D)
	$(CC) $(LUA_CFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

-include $(CORE_OBJ:.o=.d) $(CURL_OBJ:.o=.d) $(SYS_OBJ:.o=.d)

TREE_PATH := $(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua;;
TREE_CPATH := $(CURDIR)/$(BUILD)/?.so;;
RUN := LUA_PATH="$(TREE_PATH)" LUA_CPATH="$(TREE_CPATH)"

.PHONY: env
env:
	@echo 'export LUA_PATH="$(TREE_PATH)"; export LUA_CPATH="$(TREE_CPATH)"'

BUSTED ?= $(shell command -v busted)
SPEC ?= spec

.PHONY: spec
# the specs of one VM: `make spec VM=luajit SPEC=spec/cache_spec.lua`
spec: all
	$(RUN) $(LUA) $(BUSTED) $(BUSTED_ARGS) $(SPEC)

.PHONY: clean
clean:
	rm -rf build
