"""Command line of the book: `python -m book build` and `python -m book serve`."""

import argparse
import sys
from pathlib import Path

from book.build import BookError, build, preview
from book.serve import serve
from course_lib.registers import RegisterError

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m book", description="Build the book, or show it.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build build/book/ from the committed notebooks; warnings are errors")
    looker = commands.add_parser("preview", help="build build/preview/ in seconds: what changed, no search")
    looker.add_argument("pages", nargs="*", help="such as 02_cosine; none: all pages")
    server = commands.add_parser("serve", help="show build/book/ to this machine only (search needs this)")
    server.add_argument("--port", type=int, default=8000, help="port on the loopback address (default 8000)")
    options = parser.parse_args(arguments)
    output = ROOT / "build" / "book"
    try:
        if options.command == "build":
            build(ROOT, output)
            print(f"The book is in {output.relative_to(ROOT)}. Read it: python course.py book serve")
        elif options.command == "preview":
            preview(ROOT, ROOT / "build" / "preview", options.pages)
            for page in options.pages or ["index"]:
                print(ROOT / "build" / "preview" / f"{page}.html")
        else:
            serve(output, options.port)
    except (BookError, RegisterError) as error:
        print(f"book: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
