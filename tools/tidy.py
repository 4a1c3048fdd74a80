#!/usr/bin/env python3
"""The house style as a test: sizes, banned tokens, dead files, links. Prints one line per finding; no finding, exit 0."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINE_MAX = 110
FILE_MAX = 800
FUNCTION_MAX = 70
BLOB_BYTES_MAX = 200_000
BLOB_ALLOWED = {"tools/deps/python.lock", "ui/package-lock.json", "docs/openapi.json"}

# token, what to use instead, files that may use it
BANNED = [
    (r"std::regex", "a hand-written matcher: regexes cost unbounded time", set()),
    (r"sleep_for|sleep_until|\busleep\(", "a condition variable with a deadline", {"src/runtime/http/server.cpp"}),
    (r"system_clock::now|steady_clock::now|\btime\(nullptr\)", "an injected Clock (base/clock.h)", {"src/base/clock.cpp", "src/inference/manager.cpp"}),
    (r"\brand\(\)|std::random_device|mt19937", "Rng or fill_random (base/rng.h)", set()),
    (r"std::cout|std::cerr", "log_info ... (base/log.h), or the CLI's printer", set()),
    (r"\bassert\(", "GYRE_CHECK or GYRE_DCHECK (base/check.h)", set()),
    (r"\bdetached\b", "runtime's spawn, which counts and stops what it starts", {"src/runtime/http/server.cpp"}),
    (r"catch \(\.\.\.\) \{\s*\}", "an Error that says what happened", set()),
    (r"\b(if|while) \([^;{}]*\bco_await\b", "a name for what was awaited: GCC 12 keeps such a condition over the frame's first bytes", set()),
    (r"\busing namespace std\b", "the std:: prefix", set()),
]
TODO = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
FORBIDDEN = re.compile(r"(^|[^A-Za-z])/(work|farm)/|pypi\.org|registry\.npmjs|deb\.debian\.org|crates\.io|proxy\.golang")


def tracked(*patterns: str) -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", *patterns], cwd=ROOT,
                            capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


def strip_code(text: str) -> str:
    """The text without comments and literals, line structure kept."""
    pattern = re.compile(r'R"(\w*)\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.S)
    return pattern.sub(lambda m: "\n" * m.group(0).count("\n") if m.group(0)[0] == "/" else '""' + "\n" * m.group(0).count("\n"), text)


def long_functions(name: str, code: str) -> list[str]:
    """Functions over FUNCTION_MAX lines, found by braces: a '{' that follows a ')' outside of any function."""
    findings, stack, function_line = [], [], None
    previous = ""
    line = 1
    for char in code:
        if char == "\n":
            line += 1
        elif char == "{":
            is_function = function_line is None and re.search(r"\)\s*(const|noexcept|override|final|mutable|->[\w:<>,\s*&]+|\s)*$", previous)
            stack.append(bool(is_function))
            if is_function:
                function_line = line
            previous = ""
        elif char == "}" and stack:
            if stack.pop():
                if function_line is not None and line - function_line + 1 > FUNCTION_MAX:
                    findings.append(f"{name}:{function_line}: a function of {line - function_line + 1} lines (most: {FUNCTION_MAX})")
                function_line = None
            previous = ""
        elif char == ";":
            previous = ""
        previous = (previous + char)[-200:]
    return findings


def check_cpp(name: str) -> list[str]:
    text = (ROOT / name).read_text()
    findings = []
    lines = text.split("\n")
    if len(lines) > FILE_MAX:
        findings.append(f"{name}: {len(lines)} lines (most: {FILE_MAX}); one concept per file")
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_MAX and "NOLINT" not in line and 'R"' not in text:
            findings.append(f"{name}:{number}: {len(line)} columns (most: {LINE_MAX})")
        if "\t" in line:
            findings.append(f"{name}:{number}: a tab")
        if TODO.search(line):
            findings.append(f"{name}:{number}: a note to come back: do it, or write down why not in the module's README")
    code = strip_code(text)
    is_test = name.endswith(("_test.cpp", "_fuzz.cpp")) or name.startswith(("bench/", "fuzz/", "tests/"))
    for pattern, instead, allowed in BANNED:
        for match in re.finditer(pattern, code):
            if name not in allowed and not is_test:
                findings.append(f"{name}:{code[:match.start()].count(chr(10)) + 1}: '{match.group(0)}': use {instead}")
    if not is_test:
        findings += long_functions(name, code)
    if name.endswith(".h") and "#pragma once" not in text:
        findings.append(f"{name}: no #pragma once")
    return findings


def check_layout() -> list[str]:
    findings = []
    cmake = {path.parent: path.read_text() for path in (ROOT / "src").rglob("CMakeLists.txt")}
    for folder in sorted((ROOT / "src").iterdir()):
        if folder.is_dir() and not (folder / "README.md").exists():
            findings.append(f"src/{folder.name}: no README.md (what it is, its main types, what it may use)")
    for name in tracked("src/*.cpp"):
        path = ROOT / name
        listed = any(str(path.relative_to(parent)) in text for parent, text in cmake.items() if path.is_relative_to(parent))
        if not listed:
            findings.append(f"{name}: in no CMakeLists.txt (a dead file)")
    return findings


def check_text(name: str) -> list[str]:
    path = ROOT / name
    findings = []
    if path.stat().st_size > BLOB_BYTES_MAX and name not in BLOB_ALLOWED:
        findings.append(f"{name}: {path.stat().st_size} bytes (most: {BLOB_BYTES_MAX}); data does not belong in the tree")
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        return [f"{name}: not a text file"]
    if not name.endswith(".lock") and name != "tools/tidy.py":
        for match in FORBIDDEN.finditer(text):
            findings.append(f"{name}:{text[:match.start()].count(chr(10)) + 1}: a registry's host or a path of one machine")
    if name.endswith(".md"):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            if not (path.parent / target).exists():
                findings.append(f"{name}: broken link {target}")
    return findings


def main() -> int:
    findings = check_layout()
    for name in tracked("*.cpp", "*.h"):
        findings += check_cpp(name)
    for name in tracked():
        findings += check_text(name)
    for finding in findings:
        print(finding)
    print(f"tidy: {len(findings)} findings" if findings else "tidy: clean")
    return 1 if findings else 0


sys.exit(main())
