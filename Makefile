.POSIX:
TARGET = x86_64-unknown-linux-gnu
STATIC = -C target-feature=+crt-static -C relocation-model=static
all:
	RUSTFLAGS="$(STATIC)" cargo build --release --workspace --target $(TARGET)
