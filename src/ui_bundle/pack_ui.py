#!/usr/bin/env python3
"""Packs a folder of built web pages: one blob of gzip members, its assembly file, and a C++ table.

usage: pack_ui.py PAGES FALLBACK_HTML OUT_DIR
"""
import gzip
import pathlib
import re
import sys

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
# The name carries a digest of the content ("assets/index-C7BhzziM.js"), so it may be cached for ever.
DIGEST_NAME = re.compile(r"^assets/.+-[A-Za-z0-9_-]{8}\.[a-z0-9]+$")
ASSEMBLY = """/* Generated. The gzip members of the web pages, one after the other. */
    .section .rodata
    .balign 16
    .global gyre_ui_blob
    .hidden gyre_ui_blob
    .type gyre_ui_blob, %object
gyre_ui_blob:
    .incbin "{blob}"
    .size gyre_ui_blob, . - gyre_ui_blob
    .section .note.GNU-stack, "", %progbits
"""


def read_pages(folder: pathlib.Path, fallback: pathlib.Path) -> list[tuple[str, bytes]]:
    if not (folder / "index.html").is_file():
        return [("index.html", fallback.read_bytes())]
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return sorted((path.relative_to(folder).as_posix(), path.read_bytes()) for path in paths)


def main() -> int:
    pages, fallback, out = (pathlib.Path(argument) for argument in sys.argv[1:4])
    out.mkdir(parents=True, exist_ok=True)
    blob = bytearray()
    rows = []
    for name, content in read_pages(pages, fallback):
        suffix = pathlib.PurePosixPath(name).suffix
        if suffix not in CONTENT_TYPES:
            print(f"pack_ui: {name}: no content type is known for '{suffix}'", file=sys.stderr)
            return 1
        packed = gzip.compress(content, compresslevel=9, mtime=0)
        immutable = "true" if DIGEST_NAME.match(name) else "false"
        rows.append(f'    {{"{name}", "{CONTENT_TYPES[suffix]}", {len(blob)}, {len(packed)}, {len(content)}, {immutable}}},')
        blob += packed
    (out / "blob.bin").write_bytes(blob)
    (out / "blob.S").write_text(ASSEMBLY.format(blob=out / "blob.bin"))
    (out / "table.inc").write_text("// Generated, sorted by name.\n" + "\n".join(rows) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
