#!/usr/bin/env python3
"""Fails where a file in src/<module>/ includes a header of a module that its module does not declare,
or a vendor's header outside an adapter (a .cpp whose first line says "// Adapter:")."""
import pathlib
import re
import sys

MODULE = re.compile(r"gyre_module\(\s*NAME (\w+) LAYER (\d+)(.*?)\)", re.S)
INCLUDE = re.compile(r'\s*#include "(\w+)/')
VENDOR = re.compile(r"\s*#include <(boost|simdjson|soci|sqlite3|spdlog|yaml-cpp|xgboost|prometheus|openssl|sodium|"
                    r"curl|archive|duckdb|CLI|rocksdb|zlib)[./]")
# At the edge a vendor's header may stand in any file.
EDGE = {"runtime", "api", "cli"}


def declared(root: pathlib.Path) -> dict[str, set[str]]:
    deps = {}
    for cmake in (root / "src").rglob("CMakeLists.txt"):
        for name, _, rest in MODULE.findall(cmake.read_text()):
            found = re.search(r"DEPS ([\w\s]+?)(?:EXTERNAL|SOURCES|TESTS|$)", rest)
            deps[name] = (set(found.group(1).split()) if found else set()) | {name}
    return deps


def check_file(path: pathlib.Path, own: str, deps: dict[str, set[str]]) -> list[str]:
    text = path.read_text()
    adapter = text.startswith("// Adapter:") or path.name.endswith(("_test.cpp", "_fuzz.cpp"))
    problems = []
    for number, line in enumerate(text.splitlines(), 1):
        module = INCLUDE.match(line)
        if module and module.group(1) in deps and module.group(1) not in deps.get(own, set()):
            problems.append(f"{path}:{number}: {own} may not include {module.group(1)}/; it declares "
                            f"{', '.join(sorted(deps.get(own, {own}) - {own})) or 'nothing'} (DEPS in its CMakeLists.txt)")
        if VENDOR.match(line) and not adapter and own not in EDGE:
            problems.append(f"{path}:{number}: a vendor's header outside an adapter: put it into a .cpp that begins "
                            f"with '// Adapter:' and hide it behind our own header")
    return problems


def main() -> int:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    deps = declared(root)
    problems = []
    for path in sorted((root / "src").rglob("*")):
        if path.suffix in {".h", ".cpp"}:
            problems += check_file(path, path.relative_to(root / "src").parts[0], deps)
    print("\n".join(problems) if problems else f"includes: {len(deps)} modules are clean")
    return 1 if problems else 0


sys.exit(main())
