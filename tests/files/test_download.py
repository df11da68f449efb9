import gzip
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from file_server import Answer
from full_disk import largest_file

import keras_elmo
from keras_elmo.files.download import download

# Imports the module without the package, which would import TensorFlow first.
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
    """What is in a folder, without locks and what waits to be resumed."""
    return sorted(n for n in os.listdir(folder) if not n.startswith("."))


def part(folder):
    return folder / ".elmo.tar.gz.part"


def moved(place):
    return Answer(status=302, headers={"Location": place})


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
    monkeypatch.setattr(hashlib, "file_digest", None)  # the file is not read again
    download(file_server.address(), tmp_path)
    assert len(file_server.requests) == 1


def test_prints_what_it_fetches_and_nothing_else(file_server, tmp_path, capfd):
    download(file_server.address(), tmp_path, name="weights")
    error = capfd.readouterr().err.strip()
    assert error == f"Fetching {file_server.address()} to {tmp_path / 'weights'}"


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


CUT = Answer(cut=4000)
CUT_AGAIN = Answer(cut=1000)
# The server does not send the rest of a version that is named by its time.
CUT_OF_A_TIME = Answer(
    cut=4000, headers={"Last-Modified": "Tue, 01 May 2018 00:00:00 GMT"}
)
OTHER_RANGE = Answer(headers={"Content-Range": "bytes 17-10239/10240"})
MOVED = moved("/elsewhere")
BUSY = Answer(status=503)


@pytest.mark.parametrize(
    "server, script, starts, sent",
    [
        ({}, [CUT, CUT_AGAIN], [0, 4000, 5000], [4000, 1000, 5240]),
        ({"ranges": False}, [CUT], [0, 4000], [4000, 10240]),
        ({"version": None}, [CUT], [0, 0], [4000, 10240]),
        ({"version": 'W/"weak"'}, [CUT], [0, 0], [4000, 10240]),
        ({"version": 'W/"weak"'}, [CUT_OF_A_TIME], [0, 4000], [4000, 10240]),
        ({}, [CUT, OTHER_RANGE], [0, 4000, 0], [4000, 6240, 10240]),
        ({}, [CUT, BUSY, BUSY], [0, 4000, 4000, 4000], [4000, 10240, 10240, 6240]),
        ({}, [MOVED, CUT, MOVED], [0, 0, 4000, 4000], [10240, 4000, 10240, 6240]),
    ],
)
def test_rest_after_a_cut(file_server, tmp_path, server, script, starts, sent):
    for name, value in server.items():
        setattr(file_server, name, value)
    file_server.script = list(script)
    path = download(file_server.address(), tmp_path)
    assert path == tmp_path / "elmo.tar.gz"
    assert path.read_bytes() == file_server.content
    ranges = [f"bytes={start}-" if start else None for start in starts]
    assert file_server.ranges_asked_for == ranges
    assert [request["sent"] for request in file_server.requests] == sent


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


@pytest.mark.parametrize(
    "content, version",
    [(b"another" * 2000, '"second"'), (b"short", '"first"')],
    ids=["other version", "shorter than the part"],
)
def test_other_file_since_the_cut(file_server, tmp_path, content, version):
    file_server.always = Answer(cut=1000)
    with pytest.raises(ConnectionError):
        download(file_server.address(), tmp_path)
    file_server.always = Answer()
    file_server.content, file_server.version = content, version
    assert download(file_server.address(), tmp_path).read_bytes() == content


def test_urllib3_that_does_not_count(file_server, tmp_path, monkeypatch):
    """urllib3 before version 2 takes a response that was cut for a whole one."""
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
    """No part of an encoded file is asked for, since its bytes are other ones."""
    content = random.Random(0).randbytes(10_000)
    file_server.content = gzip.compress(content)
    file_server.always = Answer(headers={"Content-Encoding": "gzip"})
    file_server.script = [Answer(cut=4000, headers={"Content-Encoding": "gzip"})]
    path = download(file_server.address(), tmp_path)
    assert path.read_bytes() == content
    assert file_server.ranges_asked_for == [None, None]
    assert {request["accepted"] for request in file_server.requests} == {"identity"}


@pytest.mark.parametrize(
    "answer, received, attempts",
    [
        (Answer(status=403), "403 ", 1),
        (Answer(status=404), "404 ", 1),
        (Answer(status=500), "500 ", 5),
        (Answer(status=503), "503 ", 5),
        (Answer(announced=20_000), "", 5),
        (Answer(headers={"Content-Type": "text/html; charset=utf-8"}), "a web page", 1),
        (moved("/elmo.tar.gz"), ".*redirects", 31),
        (moved("file:///etc/passwd"), ".*file", 1),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_refusals(file_server, tmp_path, answer, received, attempts):
    file_server.ranges = False
    file_server.always = answer
    expected = (
        rf"{file_server.address()} should send the file 'elmo.tar.gz'. "
        rf"Received: {received}.*put it at '{tmp_path}/elmo.tar.gz'"
    )
    with pytest.raises(ConnectionError, match=expected):
        download(file_server.address(), tmp_path)
    assert names(tmp_path) == []
    assert len(file_server.requests) == attempts


def test_nobody_listens(file_server, tmp_path):
    file_server.server_close()
    with pytest.raises(ConnectionError, match="Connection refused|Failed to establish"):
        download(file_server.address(), tmp_path)


def test_another_file_at_the_address(file_server, tmp_path):
    path = download(file_server.address(), tmp_path)
    before, after = sha256(file_server.content), sha256(b"another")
    path.unlink()
    file_server.content = b"another"
    expected = (
        rf"{file_server.address()} should be the file with the sha256 {before}. "
        rf"Received: .*{after}.*delete '.*elmo.tar.gz.sha256.json'"
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
        rf"'{path}' should be the file with the sha256 {sha256(file_server.content)}. "
        rf"Received: .*{sha256(b'damaged')}.*delete '.*elmo.tar.gz.sha256.json'"
    )
    for _ in range(2):
        with pytest.raises(ValueError, match=expected):
            download(file_server.address(), tmp_path)
    assert path.read_bytes() == b"damaged"
    assert len(file_server.requests) == 1


def test_file_that_was_copied_here(file_server, tmp_path):
    """A copy has another time but the same content, and is recorded anew."""
    path = download(file_server.address(), tmp_path)
    os.utime(path, ns=(0, 0))
    download(file_server.address(), tmp_path)
    record = json.loads((tmp_path / "elmo.tar.gz.sha256.json").read_text())
    assert record["changed"] == 0


@pytest.mark.parametrize(
    "prefix, algorithm", [("", "sha256"), ("sha256:", "sha256"), ("MD5:", "md5")]
)
def test_known_hash(file_server, tmp_path, prefix, algorithm):
    known = hashlib.new(algorithm, file_server.content).hexdigest()
    wrong = "0" * len(known)
    expected = f"should be the file with the {algorithm} {wrong}. Received: .*{known}"
    with pytest.raises(ValueError, match=f"{file_server.address()} {expected}"):
        download(file_server.address(), tmp_path, prefix + wrong)
    assert names(tmp_path) == [] and not part(tmp_path).exists()
    path = download(file_server.address(), tmp_path, prefix + known.upper())
    assert path.read_bytes() == file_server.content
    assert names(tmp_path) == ["elmo.tar.gz", f"elmo.tar.gz.{algorithm}.json"]
    with pytest.raises(ValueError, match=f"'{path}' {expected}.*`known_hash`"):
        download(file_server.address(), tmp_path, prefix + wrong)
    assert len(file_server.requests) == 2


def test_known_hash_of_another_kind(tmp_path):
    with pytest.raises(ValueError, match="`known_hash` .*Received: known_hash='crc:1'"):
        download("https://example.com/a", tmp_path, known_hash="crc:1")


def test_record_that_is_damaged(file_server, tmp_path):
    path = download(file_server.address(), tmp_path)
    record = path.with_name("elmo.tar.gz.sha256.json")
    record.write_text(record.read_text()[:-5])
    with pytest.raises(ValueError, match=f"{record} should be a JSON file"):
        download(file_server.address(), tmp_path)


def test_offline(file_server, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_ELMO_OFFLINE", "1")
    path = tmp_path / "elmo.tar.gz"
    expected = f"'{path}' should be there.*{file_server.address()}"
    with pytest.raises(FileNotFoundError, match=expected):
        download(file_server.address(), tmp_path)
    assert not os.listdir(tmp_path)
    path.write_bytes(b"mine")  # as users do themselves where nothing may be fetched
    assert download(file_server.address(), tmp_path) == path
    assert names(tmp_path) == ["elmo.tar.gz", "elmo.tar.gz.sha256.json"]
    assert not file_server.requests
    monkeypatch.setenv("KERAS_ELMO_OFFLINE", "0")
    download(file_server.address(), tmp_path / "other")
    assert len(file_server.requests) == 1


def test_full_disk(file_server, tmp_path):
    message = rf"File too large: '{part(tmp_path)}'"
    with largest_file(5000), pytest.raises(OSError, match=message):
        download(file_server.address(), tmp_path)
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
