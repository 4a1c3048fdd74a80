#!/usr/bin/env python3
"""Runs clang-tidy on the files that changed against the last merge base, plus a rotating tenth of the others."""
import argparse
import concurrent.futures
import datetime
import hashlib
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def git(*args: str) -> list[str]:
    done = subprocess.run(["git", *args], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.split() if done.returncode == 0 else []


def chosen(all_files: list[str], most: int) -> list[str]:
    changed = set(git("diff", "--name-only", "HEAD")) | set(git("diff", "--name-only", "HEAD~5", "HEAD"))
    tenth = datetime.date.today().toordinal() % 10
    rotating = [f for f in all_files if int(hashlib.sha256(f.encode()).hexdigest(), 16) % 10 == tenth]
    picked = [f for f in all_files if f in changed][:most]
    return picked + [f for f in rotating if f not in picked][:most]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--most", type=int, default=20, help="files of each kind at most, so that CI keeps its budget")
    args = parser.parse_args()
    commands = json.loads((ROOT / "build/release/compile_commands.json").read_text())
    files = sorted({str(pathlib.Path(c["file"]).relative_to(ROOT)) for c in commands
                    if "/src/" in c["file"] and not c["file"].endswith(("_test.cpp", "pch.cpp", ".S", ".cxx"))
                    and "/build/" not in c["file"]})
    picked = files if args.all else chosen(files, args.most)

    def run(name: str) -> tuple[str, int, str]:
        done = subprocess.run(["clang-tidy-19", "-p", "build/release", "--quiet", "--warnings-as-errors=*", name],
                              cwd=ROOT, capture_output=True, text=True, check=False)
        return name, done.returncode, done.stdout

    bad = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for name, code, output in pool.map(run, picked):
            if code != 0:
                bad += 1
                print(f"--- {name}\n{output}")
    print(f"clang-tidy: {len(picked)} of {len(files)} files, {bad} with findings")
    return 1 if bad else 0


sys.exit(main())
