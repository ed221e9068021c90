# make            the programs, small and static
# make check      format, lints and all tests
# make install    programs, man pages and completions, under DESTDIR and PREFIX
# make demo       a tree of services to look at; Ctrl-C ends it
# make bench      the comparison with daemontools, runit and s6
# make fuzz       each fuzz target for FUZZ_SECONDS
# make check-boot boot a machine under qemu whose init is svscan, and talk to it
# make chaos      kill the programs for CHAOS_SECONDS and see what is lost, and
#                 then in a container for CHAOS_CONTAINER_SECONDS

DESTDIR =
PREFIX = /usr/local
FUZZ_SECONDS = 60
CHAOS_SECONDS = 600
CHAOS_CONTAINER_SECONDS = 180
CHAOS_SERVICES = 60
CHAOS_KILLS = 10
# Empty: from the clock.
CHAOS_SEED =
# What check-boot boots, and what is its shell.
KERNEL = $(lastword $(sort $(wildcard /boot/vmlinuz-*)))
BUSYBOX = /bin/busybox
CHAOS = $(RELEASE)/upkeep-chaos --programs $(RELEASE) --services $(CHAOS_SERVICES) \
	--kills-per-second $(CHAOS_KILLS) $(if $(CHAOS_SEED),--seed $(CHAOS_SEED))

TARGET := $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p')
STATIC = -C target-feature=+crt-static -C relocation-model=static
RELEASE = target/$(TARGET)/release

CORE = svscan supervise svc svstat multilog upkeep
TOOLS = sv svboot svcheck svhold svlines svlog svlogd s6-log svnotify svok svup svwait fghack \
	pgrphack readproctitle tai64n tai64nlocal setuidgid envuidgid envdir softlimit setlock chpst
ORIGINALS = /usr/bin

SHARE = $(DESTDIR)$(PREFIX)/share
BASH_COMPLETIONS = $(SHARE)/bash-completion/completions
ZSH_COMPLETIONS = $(SHARE)/zsh/site-functions
FISH_COMPLETIONS = $(SHARE)/fish/vendor_completions.d

all: toolchain
	RUSTFLAGS="$(STATIC)" cargo build --release --locked --workspace --target $(TARGET)

toolchain:
	@command -v cargo >/dev/null || { echo "make: no cargo: install Rust, https://rustup.rs" >&2; exit 1; }
	@command -v cc >/dev/null || { echo "make: no C linker: apt-get install gcc libc6-dev" >&2; exit 1; }

check: toolchain
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo build --locked --workspace
	cargo test --locked --workspace

# The same cases on Debian's C programs, and both sets side by side.
check-original: toolchain
	@[ -x $(ORIGINALS)/supervise ] || { echo "make: no originals: apt-get install daemontools runit mandoc" >&2; exit 1; }
	cargo build --locked --workspace
	UPKEEP_PROGRAMS=$(ORIGINALS) UPKEEP_REQUIRE_ORIGINALS=1 cargo test --locked --test suite

# Software emulation is slow, so patience is long. The console is kept.
BOOT = $(CURDIR)/target/boot
check-boot: toolchain
	@missing=; for p in qemu-system-x86_64 cpio $(BUSYBOX); do \
		command -v $$p >/dev/null || missing="$$missing $$p"; done; \
	[ -r "$(KERNEL)" ] || missing="$$missing a kernel"; \
	[ -z "$$missing" ] || { echo "make: no$$missing:" \
		"apt-get install qemu-system-x86 linux-image-cloud-amd64 busybox-static cpio" >&2; exit 1; }
	RUSTFLAGS="$(STATIC)" cargo build --release --locked -p upkeep-all --target $(TARGET)
	@mkdir -p $(BOOT)
	sh examples/init/build $(RELEASE)/upkeep $(BUSYBOX) \
		$(patsubst /boot/vmlinuz-%,/lib/modules/%,$(KERNEL)) $(BOOT)/initramfs.gz
	cargo build --locked --workspace
	UPKEEP_BOOT=$(BOOT) UPKEEP_KERNEL=$(KERNEL) UPKEEP_PATIENCE=$${UPKEEP_PATIENCE:-6} \
		cargo test --locked --test suite boot::a_machine -- --ignored --test-threads=1
	@echo "consoles: $(BOOT)/*.log"

install: all install-completions
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man8
	for p in $(CORE) $(TOOLS); do install -m 755 $(RELEASE)/$$p $(DESTDIR)$(PREFIX)/bin/ || exit 1; done
	install -m 755 crates/tools/svscanboot $(DESTDIR)$(PREFIX)/bin/
	install -m 644 man/*.5 $(DESTDIR)$(PREFIX)/share/man/man5/
	install -m 644 man/*.8 $(DESTDIR)$(PREFIX)/share/man/man8/

# One file for all programs, called as the one that is all of them; bash and
# fish look for one by the program's name.
install-completions:
	install -d $(BASH_COMPLETIONS) $(ZSH_COMPLETIONS) $(FISH_COMPLETIONS)
	install -m 644 completions/bash/upkeep $(BASH_COMPLETIONS)/
	install -m 644 completions/zsh/_upkeep $(ZSH_COMPLETIONS)/
	install -m 644 completions/fish/upkeep.fish $(FISH_COMPLETIONS)/
	for p in $(filter-out upkeep,$(CORE)) $(TOOLS) svscanboot; do ln -sf upkeep $(BASH_COMPLETIONS)/$$p && \
		ln -sf upkeep.fish $(FISH_COMPLETIONS)/$$p.fish || exit 1; done

demo: all
	@sh examples/demo $(RELEASE)

bench: all
	@mkdir -p bench/results
	$(RELEASE)/upkeep-bench --programs $(RELEASE) --json bench/results/latest.json

# cargo-fuzz instruments with options that a stable compiler keeps behind
# this variable.
fuzz: toolchain
	@cargo fuzz --version >/dev/null 2>&1 || { echo "make: no cargo-fuzz: cargo install cargo-fuzz" >&2; exit 1; }
	for t in $$(ls fuzz/fuzz_targets | sed 's/\.rs$$//'); do \
		RUSTC_BOOTSTRAP=1 cargo fuzz run $$t -- -max_total_time=$(FUZZ_SECONDS) || exit 1; done

chaos: all
	$(CHAOS) --seconds $(CHAOS_SECONDS)
	$(CHAOS) --seconds $(CHAOS_CONTAINER_SECONDS) --container

clean:
	cargo clean

.PHONY: all toolchain check check-original install install-completions check-boot demo bench fuzz chaos clean
