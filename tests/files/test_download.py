import gzip
import hashlib
import json
import logging
import os
import random
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pooch
import pytest
import requests
from file_server import Answer

import keras_elmo
from keras_elmo.files.download import download

# The package itself would import TensorFlow first.
PROGRAM = f"""
import sys, types
package = types.ModuleType("keras_elmo")
package.__path__ = {list(keras_elmo.__path__)!r}
sys.modules["keras_elmo"] = package
from keras_elmo.files.download import download
print(download(*sys.argv[1:]).read_bytes().hex())
assert "tensorflow" not in sys.modules
"""


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def names(folder):
    """Of what is in a folder, without the locks and what waits to be resumed."""
    return sorted(n for n in os.listdir(folder) if not n.startswith("."))


def part(folder):
    return folder / ".elmo.tar.gz.part"


def start_process(*arguments):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_file_and_record(file_server, tmp_path):
    path = download(file_server.address(), tmp_path / "a" / "b")
    assert path == tmp_path / "a" / "b" / "elmo.tar.gz"
    assert path.read_bytes() == file_server.content
    assert names(path.parent) == ["elmo.tar.gz", "elmo.tar.gz.sha256.json"]
    record = json.loads((path.parent / "elmo.tar.gz.sha256.json").read_text())
    assert record["sha256"] == sha256(file_server.content)
    assert path.stat().st_mode & 0o777 == (tmp_path / "a").stat().st_mode & 0o666
    assert not part(path.parent).exists()


def test_once(file_server, tmp_path, monkeypatch):
    download(file_server.address(), tmp_path)
    monkeypatch.setattr(pooch, "file_hash", None)  # nor is it read again
    download(file_server.address(), tmp_path)
    assert len(file_server.requests) == 1


def test_says_what_it_fetches_and_nothing_else(file_server, tmp_path, capfd, caplog):
    caplog.set_level(logging.INFO)
    download(file_server.address(), tmp_path, name="weights")
    error = capfd.readouterr().err.strip()
    assert error == f"Fetching {file_server.address()} to {tmp_path / 'weights'}"
    assert not [record for record in caplog.records if record.name == "pooch"]


@pytest.mark.parametrize(
    "path, name",
    [
        ("elmo.tar.gz", "elmo.tar.gz"),
        ("a/b/elmo%20pt.tar.gz?x=../y#z", "elmo_20pt.tar.gz"),
        ("elmo/2/?tf-hub-format=compressed", "2"),
        ("a/..", "download"),
        ("a/..%2f..%2fetc", "_2f.._2fetc"),
        ("a/..\\..\\etc", "_.._etc"),
        (".part", "part"),
        ("", "download"),
    ],
)
def test_names_stay_in_the_folder(file_server, tmp_path, path, name):
    got = download(file_server.address(path), tmp_path / "folder")
    assert got.parent == tmp_path / "folder"
    assert got.name == name
    assert os.listdir(tmp_path) == ["folder"]


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "ftp://a/b", "elmo.tar.gz", "http:///x", ""]
)
def test_other_addresses_are_refused(tmp_path, address):
    expected = f"`address` should start with http.*Received: address='{address}'"
    with pytest.raises(ValueError, match=expected):
        download(address, tmp_path)


def test_rest_after_a_cut(file_server, tmp_path):
    file_server.script = [Answer(cut=4000), Answer(cut=1000)]
    path = download(file_server.address(), tmp_path)
    assert path.read_bytes() == file_server.content
    assert file_server.ranges_asked_for == [None, "bytes=4000-", "bytes=5000-"]
    sent = [request["sent"] for request in file_server.requests]
    assert sum(sent) == len(file_server.content)


def test_later_call_goes_on(file_server, tmp_path):
    file_server.always = Answer(cut=1000)
    with pytest.raises(ConnectionError, match="Received: .*Try again, which goes on"):
        download(file_server.address(), tmp_path)
    assert names(tmp_path) == []
    assert part(tmp_path).read_bytes() == file_server.content[:5000]
    file_server.always = Answer()
    file_server.requests.clear()
    path = download(file_server.address(), tmp_path)
    assert file_server.ranges_asked_for == ["bytes=5000-"]
    assert path.read_bytes() == file_server.content


@pytest.mark.parametrize("what", ["ranges", "version"])
def test_server_that_cannot_resume(file_server, tmp_path, what):
    setattr(file_server, what, None)
    file_server.script = [Answer(cut=4000)]
    path = download(file_server.address(), tmp_path)
    assert path.read_bytes() == file_server.content
    assert file_server.requests[1]["sent"] == len(file_server.content)


def test_last_modified_names_a_version(file_server, tmp_path):
    file_server.version = 'W/"weak"'
    headers = {"Last-Modified": "Tue, 01 May 2018 00:00:00 GMT"}
    file_server.script = [Answer(cut=4000, headers=headers)]
    file_server.always = Answer(headers=headers)
    download(file_server.address(), tmp_path)
    # The server knows its weak ETag only, and so sends everything.
    assert file_server.ranges_asked_for == [None, "bytes=4000-"]
    assert file_server.requests[1]["sent"] == len(file_server.content)


def test_other_version_since_the_cut(file_server, tmp_path):
    file_server.always = Answer(cut=1000)
    with pytest.raises(ConnectionError):
        download(file_server.address(), tmp_path)
    file_server.content, file_server.version = b"another" * 2000, '"second"'
    file_server.always = Answer()
    path = download(file_server.address(), tmp_path)
    assert path.read_bytes() == b"another" * 2000


def test_other_range_than_asked_for(file_server, tmp_path):
    wrong = {"Content-Range": "bytes 17-10239/10240"}
    file_server.script = [Answer(cut=4000), Answer(headers=wrong)]
    path = download(file_server.address(), tmp_path)
    assert path.read_bytes() == file_server.content
    assert file_server.ranges_asked_for == [None, "bytes=4000-", None]


def test_part_longer_than_the_file(file_server, tmp_path):
    file_server.always = Answer(cut=1000)
    with pytest.raises(ConnectionError):
        download(file_server.address(), tmp_path)
    file_server.always, file_server.content = Answer(), b"short"
    path = download(file_server.address(), tmp_path)
    assert path.read_bytes() == b"short"


def test_length_that_is_not_true(file_server, tmp_path):
    file_server.ranges = False
    file_server.always = Answer(announced=20_000)
    with pytest.raises(ConnectionError, match="should send the file 'elmo.tar.gz'"):
        download(file_server.address(), tmp_path)
    assert names(tmp_path) == []
    assert len(file_server.requests) == 5


def test_urllib3_that_does_not_count(file_server, tmp_path, monkeypatch):
    """As it was before version 2."""
    get = requests.get

    def get_without_counting(*args, **kwargs):
        response = get(*args, **kwargs)
        response.raw.enforce_content_length = False
        return response

    monkeypatch.setattr(requests, "get", get_without_counting)
    file_server.script = [Answer(cut=4000)]
    path = download(file_server.address(), tmp_path)
    assert path.read_bytes() == file_server.content


def test_encoded_on_the_way(file_server, tmp_path):
    """Parts and lengths are then those of other bytes than arrive here."""
    content = random.Random(0).randbytes(10_000)
    file_server.content = gzip.compress(content)
    file_server.always = Answer(headers={"Content-Encoding": "gzip"})
    file_server.script = [Answer(cut=4000, headers={"Content-Encoding": "gzip"})]
    path = download(file_server.address(), tmp_path)
    assert path.read_bytes() == content
    assert file_server.ranges_asked_for == [None, None]
    assert {request["accepted"] for request in file_server.requests} == {"identity"}


@pytest.mark.parametrize("status, attempts", [(404, 1), (403, 1), (500, 5), (503, 5)])
def test_refusals(file_server, tmp_path, status, attempts):
    file_server.always = Answer(status=status)
    expected = (
        rf"{file_server.address()} should send the file 'elmo.tar.gz'. "
        rf"Received: {status} .*put it at '{tmp_path}/elmo.tar.gz'"
    )
    with pytest.raises(ConnectionError, match=expected):
        download(file_server.address(), tmp_path)
    assert names(tmp_path) == []
    assert len(file_server.requests) == attempts


def test_refusal_that_passes(file_server, tmp_path):
    file_server.script = [Answer(cut=4000), Answer(status=500), Answer(status=503)]
    path = download(file_server.address(), tmp_path)
    assert path.read_bytes() == file_server.content
    assert file_server.ranges_asked_for == [None, *["bytes=4000-"] * 3]


def test_nobody_listens(file_server, tmp_path):
    file_server.server_close()
    with pytest.raises(ConnectionError, match="Connection refused|Failed to establish"):
        download(file_server.address(), tmp_path)


def test_redirect(file_server, tmp_path):
    moved = Answer(status=302, headers={"Location": "/elsewhere"})
    file_server.script = [moved, Answer(cut=4000), moved]
    path = download(file_server.address(), tmp_path)
    assert path.name == "elmo.tar.gz"
    assert path.read_bytes() == file_server.content
    paths = [request["path"] for request in file_server.requests]
    assert paths == ["/elmo.tar.gz", "/elsewhere"] * 2
    assert file_server.requests[-1]["range"] == "bytes=4000-"


@pytest.mark.parametrize(
    "location, expected",
    [("/elmo.tar.gz", "redirects"), ("file:///etc/passwd", "file")],
)
def test_redirects_that_lead_nowhere(file_server, tmp_path, location, expected):
    file_server.always = Answer(status=302, headers={"Location": location})
    with pytest.raises(ConnectionError, match=f"Received: .*{expected}"):
        download(file_server.address(), tmp_path)
    assert names(tmp_path) == []


def test_web_page_is_no_file(file_server, tmp_path):
    file_server.always = Answer(headers={"Content-Type": "text/html; charset=utf-8"})
    with pytest.raises(ConnectionError, match="Received: a web page"):
        download(file_server.address(), tmp_path)
    assert names(tmp_path) == []


def test_another_file_at_the_address(file_server, tmp_path):
    path = download(file_server.address(), tmp_path)
    before, after = sha256(file_server.content), sha256(b"another")
    path.unlink()
    file_server.content = b"another"
    expected = (
        rf"should send the file of the known SHA-256. Received: .*{before}.*{after}"
        r".*delete '.*elmo.tar.gz.sha256.json'"
    )
    with pytest.raises(ValueError, match=expected):
        download(file_server.address(), tmp_path)
    assert names(tmp_path) == ["elmo.tar.gz.sha256.json"]
    (tmp_path / "elmo.tar.gz.sha256.json").unlink()
    assert download(file_server.address(), tmp_path).read_bytes() == b"another"


def test_file_that_changed_here(file_server, tmp_path):
    path = download(file_server.address(), tmp_path)
    path.write_bytes(b"damaged")
    expected = (
        f"SHA-256 {sha256(file_server.content)}. Received: .*{sha256(b'damaged')}"
    )
    for _ in range(2):
        with pytest.raises(ValueError, match=expected):
            download(file_server.address(), tmp_path)
    assert path.read_bytes() == b"damaged"
    assert len(file_server.requests) == 1


def test_file_that_was_copied_here(file_server, tmp_path):
    """With another time, but the same content: that becomes its record."""
    path = download(file_server.address(), tmp_path)
    os.utime(path, ns=(0, 0))
    download(file_server.address(), tmp_path)
    record = json.loads((tmp_path / "elmo.tar.gz.sha256.json").read_text())
    assert record["changed"] == 0


def test_file_from_elsewhere(file_server, tmp_path, monkeypatch):
    """Where nothing may be fetched, users put files there themselves."""
    monkeypatch.setenv("KERAS_ELMO_OFFLINE", "1")
    (tmp_path / "elmo.tar.gz").write_bytes(b"mine")
    assert download(file_server.address(), tmp_path).read_bytes() == b"mine"
    assert "elmo.tar.gz.sha256.json" in names(tmp_path)
    assert not file_server.requests


def test_known_hash(file_server, tmp_path):
    known = sha256(file_server.content)
    with pytest.raises(ValueError, match=f"expected {'0' * 64} but got {known}"):
        download(file_server.address(), tmp_path, known_hash="0" * 64)
    assert names(tmp_path) == []
    path = download(file_server.address(), tmp_path, known_hash=known.upper())
    assert path.read_bytes() == file_server.content
    with pytest.raises(ValueError, match=f"should have the SHA-256 {'0' * 64}"):
        download(file_server.address(), tmp_path, known_hash="0" * 64)


def test_offline(file_server, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_ELMO_OFFLINE", "1")
    expected = f"'{tmp_path}/elmo.tar.gz' is not there.*{file_server.address()}"
    with pytest.raises(FileNotFoundError, match=expected):
        download(file_server.address(), tmp_path)
    assert not file_server.requests and not os.listdir(tmp_path)
    monkeypatch.setenv("KERAS_ELMO_OFFLINE", "0")
    download(file_server.address(), tmp_path)


def test_full_disk(file_server, tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, limits[1]))
    try:
        with pytest.raises(OSError, match=rf"File too large: '{part(tmp_path)}'"):
            download(file_server.address(), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert names(tmp_path) == []
    assert len(file_server.requests) == 1
    path = download(file_server.address(), tmp_path)
    assert path.read_bytes() == file_server.content
    assert file_server.ranges_asked_for == [None, "bytes=5000-"]


def test_folder_to_read_only(file_server, tmp_path, monkeypatch):
    path = download(file_server.address(), tmp_path)
    (tmp_path / "elmo.tar.gz.sha256.json").unlink()
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    assert download(file_server.address(), tmp_path) == path
    assert names(tmp_path) == ["elmo.tar.gz"]


def test_threads_at_once(file_server, tmp_path):
    event = threading.Event()
    file_server.always = Answer(wait_for=event)
    with ThreadPoolExecutor(4) as pool:
        paths = [
            pool.submit(download, file_server.address(), tmp_path) for _ in range(4)
        ]
        time.sleep(0.2)
        event.set()
    assert {path.result() for path in paths} == {tmp_path / "elmo.tar.gz"}
    assert len(file_server.requests) == 1


@pytest.mark.slow
def test_processes_at_once(file_server, tmp_path):
    event = threading.Event()
    file_server.always = Answer(wait_for=event)
    processes = [start_process(file_server.address(), tmp_path) for _ in range(3)]
    lines = sorted(process.stderr.readline() for process in processes)
    event.set()
    assert [line.split()[0] for line in lines] == ["Fetching", "Waiting", "Waiting"]
    results = [process.communicate(timeout=60) for process in processes]
    assert [out.strip() for out, _ in results] == [file_server.content.hex()] * 3
    assert not any(error.strip() for _, error in results)  # only one fetched it
    assert not any(process.returncode for process in processes)
    assert len(file_server.requests) == 1
    assert names(tmp_path) == ["elmo.tar.gz", "elmo.tar.gz.sha256.json"]


@pytest.mark.slow
def test_process_that_is_killed(file_server, tmp_path):
    file_server.content *= 100
    event = threading.Event()
    file_server.script = [Answer(cut=500_000, stay_for=event)]
    process = start_process(file_server.address(), tmp_path)
    deadline = time.monotonic() + 30
    while not (part(tmp_path).is_file() and part(tmp_path).stat().st_size > 100_000):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    event.set()
    assert not (tmp_path / "elmo.tar.gz").exists()
    path = download(file_server.address(), tmp_path)
    assert path.read_bytes() == file_server.content
    assert re.match(r"bytes=\d{6}-", file_server.ranges_asked_for[-1])
