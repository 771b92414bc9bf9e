"""Show the built book on the loopback address."""

import functools
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from book.build import BookError


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing for each file: a page is two dozen of them."""


def make_server(folder: Path, port: int) -> ThreadingHTTPServer:
    """Return a server of `folder` on 127.0.0.1:`port` (0 picks a free port); the caller runs and closes it.

    Raises BookError when the folder holds no book or the port is taken.
    """
    if not (folder / "index.html").is_file():
        raise BookError(f"there is no book in {folder.name}/ yet; build it first: python -m book build")
    handler = functools.partial(_QuietHandler, directory=str(folder))
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise BookError(
            f"port {port} cannot be used ({error.strerror}); choose another with --port"
        ) from error


def serve(folder: Path, port: int) -> None:
    """Serve the book until Ctrl+C."""
    with make_server(folder, port) as server:
        print(f"The book is at http://127.0.0.1:{server.server_port}/ (Ctrl+C ends it).", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
