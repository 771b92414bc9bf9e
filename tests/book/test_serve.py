"""The book's server listens on this machine only and refuses what it cannot serve."""

import threading
import urllib.request

import pytest

from book.build import BookError
from book.serve import make_server


def test_serves_a_page_on_the_loopback_address(tmp_path):
    (tmp_path / "index.html").write_text("<h1>Recall</h1>", encoding="utf-8")
    with make_server(tmp_path, 0) as server:
        assert server.server_address[0] == "127.0.0.1"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/index.html", timeout=5) as answer:
            assert answer.read() == b"<h1>Recall</h1>"
        server.shutdown()
        thread.join()


def test_says_that_the_book_must_be_built_first(tmp_path):
    with pytest.raises(BookError, match="build it first: python -m book build"):
        make_server(tmp_path, 0)


def test_a_taken_port_is_named(tmp_path):
    (tmp_path / "index.html").write_text("x", encoding="utf-8")
    with make_server(tmp_path, 0) as server, pytest.raises(BookError, match=r"port \d+ cannot be used"):
        make_server(tmp_path, server.server_port)
