# SPDX-License-Identifier: GPL-2.0
#
# make			the tools, into build/bin
# make modules		hpkm.ko for the kernel in KDIR (the running one's)
# make install		both and the man pages, under $(DESTDIR)$(PREFIX)
# make demo		a live server is patched in a VM, step by step
# make check		every test that gates a change
# make check-debug	the kselftests on a KASAN and lockdep kernel
# make check-identity	all functions of sqlite3 and redis, then their own tests
# make bench		what a patch costs; BENCH=pause|call|memory|scale|build
# make check-real	all real fixes in real daemons; REAL=NAME for one
# make style		checkpatch, sparse, warnings
#
# The last seven, as root, install the Debian packages that they miss.

# kbuild reads Kbuild; this file is for people.
TREE := $(abspath $(dir $(lastword $(MAKEFILE_LIST))))
BUILD := $(TREE)/build
PREFIX ?= /usr/local
KDIR ?= /lib/modules/$(shell uname -r)/build
KVER = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' \
	$(KDIR)/include/generated/utsrelease.h)
RST2MAN ?= rst2man

MAN := $(wildcard Documentation/man/*.rst)
# What building and testing needs besides selftests/vm/setup's own list.
PACKAGES := libelf-dev libdw-dev libcapstone-dev libnl-genl-3-dev \
	libjson-c-dev nettle-dev liblzma-dev zlib1g-dev pkg-config \
	python3-docutils patch
TEST_PACKAGES := $(PACKAGES) sparse g++ clang libclang-rt-14-dev python3 \
	python3-yaml python3-pygments perl gdb libc6-dev-i386 libcap2-bin cmake \
	autoconf automake libtool lld xz-utils libdebuginfod1
BENCH_PACKAGES := $(PACKAGES) python3 gnuplot-nox git dpkg-dev libevent-dev

all: tools

tools:
	$(MAKE) -s -C user BUILD=$(BUILD)

# Built in a copy, so that no object is left between the sources.
modules:
	@test -d "$(KDIR)" || { echo "no headers in $(KDIR): install" \
		"linux-headers-$$(uname -r), or say KDIR=..." >&2; exit 1; }
	mkdir -p $(BUILD)/module
	cp -r --update Kbuild kmod include $(BUILD)/module/
	$(MAKE) -C $(KDIR) M=$(BUILD)/module modules

install: install-tools install-module

install-tools: tools
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man8 \
		$(DESTDIR)$(PREFIX)/include/hpkm
	install -m 755 $(BUILD)/bin/hpkm $(DESTDIR)$(PREFIX)/bin/
	for n in build apply revert list inspect monitor; do \
		ln -sf hpkm $(DESTDIR)$(PREFIX)/bin/hpkm-$$n || exit 1; \
	done
	install -m 644 include/hpkm/image.h include/hpkm/patch.h \
		$(DESTDIR)$(PREFIX)/include/hpkm/
	for page in $(MAN); do \
		name=$$(basename $$page .rst); \
		$(RST2MAN) $$page $(DESTDIR)$(PREFIX)/share/man/man8/$$name \
			|| exit 1; \
	done

install-module: modules
	install -d $(DESTDIR)/lib/modules/$(KVER)/extra
	install -m 644 $(BUILD)/module/hpkm.ko \
		$(DESTDIR)/lib/modules/$(KVER)/extra/
	$(if $(DESTDIR),,depmod $(KVER))

setup:
	selftests/vm/setup $(PACKAGES)

setup-tests:
	selftests/vm/setup $(TEST_PACKAGES) $(shell selftests/real/run --packages)

demo: setup
	$(MAKE) -s tools
	selftests/demo/run

check: setup-tests
	$(MAKE) -s tools
	selftests/check $(SUITES)

check-debug: setup-tests
	$(MAKE) -s tools
	selftests/check vm-debug

check-real: setup-tests
	$(MAKE) -s tools
	REAL="$(or $(REAL),--all)" selftests/check real

check-identity: setup-tests
	$(MAKE) -s tools
	selftests/check identity

bench:
	selftests/vm/setup $(BENCH_PACKAGES)
	$(MAKE) -s tools
	selftests/bench/run $(BENCH)

style: setup-tests
	selftests/style

clean:
	rm -rf $(BUILD)

.PHONY: all tools modules install install-tools install-module setup \
	setup-tests demo check check-debug check-real check-identity bench style \
	clean
