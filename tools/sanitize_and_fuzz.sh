#!/usr/bin/env bash
# Unit tests under ASan+UBSan, then every fuzzer for a short while (GYRE_FUZZ_SECONDS, 30 by default).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
./dev test --asan
for fuzzer in build/asan/fuzz/*_fuzz; do
    [ -x "$fuzzer" ] || continue
    name=$(basename "$fuzzer")
    corpus="build/corpus/$name"
    mkdir -p "$corpus"
    seeds=()
    [ -d "fuzz/corpus/$name" ] && seeds=("fuzz/corpus/$name")
    echo "fuzzing $name"
    "$fuzzer" -max_total_time="${GYRE_FUZZ_SECONDS:-30}" -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 \
        -artifact_prefix="build/corpus/$name-" "$corpus" "${seeds[@]}" 2>&1 | tail -n 4
done
