"""
Staging what lies in a file system, also while others change it.
"""

import errno
import io
import os
import random
import socket
import stat
import threading
import time

import pytest

from offlineseed.errors import UnsafeNameError
from offlineseed.events import FindingSeen, SeedCheckpoint
from offlineseed.seed import FolderStore, ItemKind, SeedOptions, SeedReader, SeedWriter

KIB = 1024
CHUNK = 64 * KIB


def fill(path, length, seed=0):
    path.write_bytes(random.Random(seed).randbytes(length))


def restore(workshop, target):
    with workshop.reader() as reader:
        return reader.restore(target)


def test_tree_of_every_kind_comes_back(workshop, tree, tmp_path, snapshot):
    fill(tree / "large", 5 * CHUNK + 17)
    fill(tree / "chunk", CHUNK, 1)
    (tree / "small").write_text("small")
    (tree / "empty").touch()
    (tree / "folder" / "empty folder").mkdir(parents=True)
    (tree / "folder" / "file").write_text("below")
    (tree / "link").symlink_to("folder/file")
    (tree / "dangling").symlink_to("/nowhere/at all")
    (tree / "up").symlink_to("../..")
    (tree / "to folder").symlink_to("folder")
    workshop.stage(tree)
    report = restore(workshop, tmp_path / "out")
    assert snapshot(tmp_path / "out") == snapshot(tree)
    assert report.items == len(snapshot(tree))
    assert report.content_bytes == 6 * CHUNK + 17 + 5 + 5
    assert not workshop.findings()


@pytest.mark.parametrize(
    "name",
    [
        b"with space", "Größe ❄ 目录".encode(), b"new\nline", b"x" * 255, b"~", b"%41%", b"-rf",
        b"\xff\xfe", b"\xff" * 9, b"tab\tquote'\"", b"back\\slash", b"C:", b"...", b" ", b"\x01",
        "a\u0308".encode(), b"CON", b"x.partial",
    ],
)  # fmt: skip
def test_odd_name_of_file_folder_and_link_comes_back(workshop, tree, tmp_path, snapshot, name):
    root = os.fsencode(tree)
    os.makedirs(os.path.join(root, name, name))
    path = os.path.join(root, name, name, b"f" + name[:254])
    with open(path, "wb") as file:
        file.write(name)
    os.symlink(name, os.path.join(root, b"l" + name[:254]))
    os.utime(os.path.join(root, name, name), ns=(0, 12345))
    os.utime(os.path.join(root, name), ns=(0, 54321))
    workshop.stage(tree)
    restore(workshop, tmp_path / "out")
    assert snapshot(tmp_path / "out") == snapshot(tree)
    shown = os.fsdecode(name)
    with workshop.reader() as reader:
        assert reader.read(f"{shown}/{shown}/f{os.fsdecode(name[:254])}") == name
        below = {item.name for item in reader.items(shown)}
    assert below == {shown, f"{shown}/{shown}", f"{shown}/{shown}/f{os.fsdecode(name[:254])}"}


@pytest.mark.parametrize(
    "mtime_ns",
    [0, 1, -1, -1_000_000_001, -(10**18), 1_700_000_000_123_456_789, 2**33 * 10**9],
    ids=["1970", "a nanosecond later", "a nanosecond before", "1969", "1938", "now", "2242"],
)
def test_time_of_modification_comes_back(workshop, tree, tmp_path, snapshot, mtime_ns):
    (tree / "folder").mkdir()
    (tree / "file").write_text("x")
    fill(tree / "large", 2 * CHUNK)
    (tree / "link").symlink_to("file")
    for name in ("file", "large", "link", "folder"):
        os.utime(tree / name, ns=(0, mtime_ns), follow_symlinks=False)
    workshop.stage(tree)
    restore(workshop, tmp_path / "out")
    assert snapshot(tmp_path / "out") == snapshot(tree)


@pytest.mark.parametrize("mode", [0o000, 0o200, 0o400, 0o444, 0o755, 0o1777, 0o7777], ids=oct)
def test_mode_comes_back(workshop, tree, tmp_path, snapshot, mode):
    (tree / "folder").mkdir()
    (tree / "folder" / "inside").write_text("x")
    (tree / "file").write_text("x")
    fill(tree / "large", 2 * CHUNK)
    for name in ("file", "large", "folder"):
        os.chmod(tree / name, mode)
    before = snapshot(tree)
    workshop.stage(tree)
    with workshop.reader() as reader:
        reader.restore(tmp_path / "out", set_id_bits=True)
    assert snapshot(tmp_path / "out") == before


@pytest.mark.parametrize(
    "length",
    [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK, 2 * CHUNK + 1],
)
@pytest.mark.parametrize("kind", ["file", "stream", "zeros"])
def test_length_at_the_edge_of_a_chunk_comes_back(workshop, tree, tmp_path, length, kind):
    content = bytes(length) if kind == "zeros" else random.Random(length).randbytes(length)
    (tree / "item").write_bytes(content)
    if kind == "stream":
        workshop.stage(streams=[("item", io.BytesIO(content))])
    else:
        workshop.stage(tree)
    with workshop.reader() as reader:
        assert reader.read("item") == content
        assert reader.catalog.item("item").length == length
        assert list(reader.check()) == []
        reader.restore(tmp_path / "out")
    assert (tmp_path / "out" / "item").read_bytes() == content


def test_deep_tree_comes_back(workshop, tree, tmp_path, snapshot):
    deep = tree.joinpath(*["d" * 20] * 100)
    deep.mkdir(parents=True)
    (deep / "bottom").write_text("reached")
    workshop.stage(tree)
    restore(workshop, tmp_path / "out")
    assert snapshot(tmp_path / "out") == snapshot(tree)


def test_tree_deeper_than_a_path_may_be_long_is_a_finding(workshop, tree):
    home = os.open(".", os.O_RDONLY)
    try:
        os.chdir(tree)
        for _ in range(25):
            os.mkdir("d" * 200)
            os.chdir("d" * 200)
    finally:
        os.fchdir(home)
        os.close(home)
    workshop.stage(tree)
    ((subject, code),) = workshop.findings()
    assert code == "item-unreadable"
    assert len(subject) > 3500


def test_sparse_file_stores_only_its_data_and_comes_back(workshop, tree, tmp_path):
    with open(tree / "sparse", "wb") as file:
        file.write(b"first")
        file.seek(10 * CHUNK + 100)
        file.write(b"middle")
        file.seek(40 * CHUNK + 1)
        file.write(b"last")
        file.truncate(50 * CHUNK)
    seal = workshop.stage(tree)
    assert seal.content_bytes == 50 * CHUNK
    assert seal.stored_bytes < 1000
    restore(workshop, tmp_path / "out")
    assert (tmp_path / "out" / "sparse").read_bytes() == (tree / "sparse").read_bytes()
    assert (tmp_path / "out" / "sparse").stat().st_blocks * 512 < 10 * CHUNK


def test_sparse_file_of_5_gib_is_staged_in_seconds(workshop, tree):
    length = 5 << 30
    with open(tree / "sparse", "wb") as file:
        file.truncate(length)
        file.seek(length - 1)
        file.write(b"!")
    started = time.monotonic()
    seal = workshop.stage(tree, chunk_bytes=1 << 20, segment_bytes=16 << 20)
    assert time.monotonic() - started < 30
    assert seal.content_bytes == length
    assert seal.stored_bytes < 1000
    with workshop.reader() as reader:
        assert reader.read("sparse", length - 3) == b"\0\0!"
        assert reader.read("sparse", 3 << 30, 5) == bytes(5)


def test_prefix_is_put_before_every_name(workshop, tree):
    (tree / "file").write_text("x")
    with workshop.writer() as writer:
        writer.add_tree(tree, prefix="a/b")
        writer.seal()
    with workshop.reader() as reader:
        assert [item.name for item in reader.items()] == ["a/b", "a/b/file"]


def test_file_is_added_by_its_last_component_or_another_name(workshop, tree):
    (tree / "file").write_text("content")
    (tree / "link").symlink_to("file")
    with workshop.writer() as writer:
        writer.add_file(tree / "file")
        writer.add_file(tree / "link", name="followed")
        with pytest.raises(UnsafeNameError):
            writer.add_file(tree / "file", name="../file")
        writer.seal()
    with workshop.reader() as reader:
        assert [item.name for item in reader.items()] == ["file", "followed"]
        assert reader.read("followed") == b"content"
        assert {item.kind for item in reader.items()} == {ItemKind.FILE}


# What is neither file, directory nor link.


def test_unsupported_kinds_are_findings(workshop, tree):
    os.mkfifo(tree / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        home = os.getcwd()
        os.chdir(tree)
        listener.bind("socket")
        os.chdir(home)
    (tree / "file").write_text("x")
    workshop.stage(tree)
    assert workshop.findings() == {
        ("pipe", "item-kind-unsupported"),
        ("socket", "item-kind-unsupported"),
    }
    with workshop.reader() as reader:
        assert [item.name for item in reader.items()] == ["file"]
        assert reader.seal.findings == 2


def test_pipe_and_directory_given_as_files_are_findings(workshop, tree):
    os.mkfifo(tree / "pipe")
    (tree / "folder").mkdir()
    with workshop.writer() as writer:
        writer.add_file(tree / "pipe")
        writer.add_file(tree / "folder")
        writer.seal()
    assert workshop.findings() == {
        ("pipe", "item-kind-unsupported"),
        ("folder", "item-kind-unsupported"),
    }


# What vanishes or can't be read.


def test_file_that_is_not_there_is_a_finding(workshop, tree):
    with workshop.writer() as writer:
        writer.add_file(tree / "missing")
        writer.seal()
    assert workshop.findings() == {("missing", "item-vanished")}
    (event,) = workshop.seen(FindingSeen)
    assert event.finding.code == "item-vanished"
    assert event.finding.subject == "missing"


def test_root_that_is_not_there_is_an_error(workshop, tree):
    with workshop.writer() as writer:
        with pytest.raises(FileNotFoundError):
            writer.add_tree(tree / "missing")
        (tree / "file").write_text("x")
        with pytest.raises(NotADirectoryError):
            writer.add_tree(tree / "file")
        assert writer.seal().items == 0


class Disturbed:
    """
    Acts when the n-th item is opened: the moment at which another program does something.
    """

    def __init__(self, monkeypatch, name, act):
        real = os.open
        self.happened = False

        def opened(path, *arguments, **keywords):
            if os.path.basename(os.fsdecode(path)) == name and not self.happened:
                self.happened = True
                act()
            return real(path, *arguments, **keywords)

        monkeypatch.setattr(os, "open", opened)


def test_file_and_folder_that_vanish_meanwhile_are_findings(workshop, tree, monkeypatch):
    (tree / "folder").mkdir()
    (tree / "folder" / "file").write_text("x")
    for name in ("a", "b", "c"):
        (tree / name).write_text(name)

    def act():
        (tree / "b").unlink()
        (tree / "folder" / "file").unlink()
        (tree / "folder").rmdir()

    Disturbed(monkeypatch, "a", act)
    workshop.stage(tree)
    assert workshop.findings() == {("b", "item-vanished"), ("folder", "item-vanished")}
    with workshop.reader() as reader:
        assert [item.name for item in reader.items()] == ["a", "c"]


def test_file_that_becomes_a_link_or_pipe_meanwhile_is_a_finding(workshop, tree, monkeypatch):
    for name in ("a", "b", "c"):
        (tree / name).write_text(name)

    def act():
        (tree / "b").unlink()
        (tree / "b").symlink_to("/etc/passwd")
        (tree / "c").unlink()
        os.mkfifo(tree / "c")

    Disturbed(monkeypatch, "a", act)
    workshop.stage(tree)
    assert workshop.findings() == {("b", "item-unreadable"), ("c", "item-kind-unsupported")}


def test_file_without_permission_is_a_finding(workshop, tree, monkeypatch):
    (tree / "file").write_text("x")
    (tree / "folder").mkdir()
    (tree / "other").write_text("y")
    real = os.open

    def refuse(path, *arguments, **keywords):
        if os.path.basename(os.fsdecode(path)) in ("file", "folder"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return real(path, *arguments, **keywords)

    monkeypatch.setattr(os, "open", refuse)
    workshop.stage(tree)
    assert workshop.findings() == {("file", "item-unreadable"), ("folder", "item-unreadable")}
    with workshop.reader() as reader:
        assert [item.name for item in reader.items()] == ["other"]


@pytest.mark.parametrize("length", [1000, 3 * CHUNK], ids=["small", "large"])
def test_read_error_is_a_finding_and_the_rest_is_staged(workshop, tree, monkeypatch, length):
    fill(tree / "bad", length)
    fill(tree / "good", length, 1)
    inode = (tree / "bad").stat().st_ino
    real = os.readv

    def fail(descriptor, buffers):
        if os.fstat(descriptor).st_ino == inode and os.lseek(descriptor, 0, os.SEEK_CUR) >= (
            CHUNK if length > CHUNK else 0
        ):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(descriptor, buffers)

    monkeypatch.setattr(os, "readv", fail)
    workshop.stage(tree)
    assert workshop.findings() == {("bad", "item-unreadable")}
    with workshop.reader() as reader:
        assert [item.name for item in reader.items()] == ["good"]
        assert reader.read("good") == (tree / "good").read_bytes()


# What changes while it is read.


class Reading:
    """
    Acts once, when bytes of a file were read for the n-th time.
    """

    def __init__(self, monkeypatch, path, number, act):
        inode, real, seen = path.stat().st_ino, os.readv, []

        def read(descriptor, buffers):
            got = real(descriptor, buffers)
            if os.fstat(descriptor).st_ino == inode:
                seen.append(got)
                if len(seen) == number:
                    act(path)
            return got

        monkeypatch.setattr(os, "readv", read)


def append(path):
    with open(path, "ab") as file:
        file.write(b"more")


def shrink(path):
    os.truncate(path, path.stat().st_size // 2)


def empty(path):
    os.truncate(path, 0)


def rewrite(path):
    with open(path, "r+b") as file:
        file.write(b"CHANGED")
    os.utime(path, ns=(0, 42))


@pytest.mark.parametrize("change", [append, shrink, empty, rewrite])
@pytest.mark.parametrize("length", [1000, 4 * CHUNK + 5], ids=["small", "large"])
def test_file_that_changes_while_it_is_read_is_recorded_as_read(
    workshop, tree, monkeypatch, tmp_path, change, length
):
    path = tree / "file"
    fill(path, length)
    before = path.read_bytes()
    Reading(monkeypatch, path, 1, change)
    workshop.stage(tree)
    assert workshop.findings() == {("file", "item-changed")}
    with workshop.reader() as reader:
        item = reader.catalog.item("file")
        content = reader.read("file")
        reader.restore(tmp_path / "out")
    assert len(content) == item.length <= length
    assert content[:CHUNK] == before[:CHUNK]
    assert (tmp_path / "out" / "file").read_bytes() == content
    if change is not rewrite:
        assert before.startswith(content)


def test_file_that_shrinks_between_opening_and_reading_is_recorded_as_read(
    workshop, tree, monkeypatch
):
    path = tree / "file"
    fill(path, 1000)
    real = os.fstat

    def shrink_after(descriptor):
        status = real(descriptor)
        if stat.S_ISREG(status.st_mode) and status.st_size == 1000:
            os.truncate(path, 10)
        return status

    monkeypatch.setattr(os, "fstat", shrink_after)
    workshop.stage(tree)
    assert workshop.findings() == {("file", "item-changed")}
    with workshop.reader() as reader:
        assert reader.read("file") == path.read_bytes()


def test_sparse_file_that_shrinks_while_it_is_read_is_recorded_as_read(workshop, tree, monkeypatch):
    path = tree / "sparse"
    with open(path, "wb") as file:
        file.write(b"data" * CHUNK)
        file.truncate(100 * CHUNK)
    Reading(monkeypatch, path, 1, lambda path: os.truncate(path, CHUNK))
    workshop.stage(tree)
    assert workshop.findings() == {("sparse", "item-changed")}
    with workshop.reader() as reader:
        assert reader.read("sparse") == b"data" * (CHUNK // 4)


def test_tree_that_is_busily_changed_by_a_thread_is_staged_as_read(workshop, tree, tmp_path):
    for number in range(200):
        fill(tree / f"{number:03d}", 100 + number, number)
    fill(tree / "large", 20 * CHUNK)
    is_over = threading.Event()

    def disturb():
        chosen = random.Random(1)
        while not is_over.is_set():
            path = tree / f"{chosen.randrange(200):03d}"
            act = chosen.randrange(4)
            if act == 0:
                path.unlink(missing_ok=True)
            elif act == 1:
                path.write_bytes(chosen.randbytes(chosen.randrange(2 * CHUNK)))
            elif path.exists():
                os.truncate(path, chosen.randrange(3000))
            os.truncate(tree / "large", chosen.randrange(20 * CHUNK))

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        seals = workshop.stage(tree)
    finally:
        is_over.set()
        thread.join()
    with workshop.reader() as reader:
        assert list(reader.check()) == []
        items = {item.name: item for item in reader.items()}
        report = reader.restore(tmp_path / "out")
    assert report.items == seals.items == len(items)
    for name, item in items.items():
        assert (tmp_path / "out" / name).stat().st_size == item.length
    known = set(items) | {subject for subject, _ in workshop.findings()}
    assert "large" in known


# Streams.


class OddReads:
    def __init__(self, content, sizes):
        self.content = io.BytesIO(content)
        self.sizes = sizes
        self.turn = 0

    def read(self, size, /):
        self.turn += 1
        return self.content.read(min(size, self.sizes[self.turn % len(self.sizes)]))


@pytest.mark.parametrize("length", [0, 1, 1000, CHUNK, CHUNK + 1, 7 * CHUNK + 123])
@pytest.mark.parametrize(
    "sizes", [(10**9,), (1000, 1, 65537), (CHUNK + 1, CHUNK - 1, 7919)], ids=["all", "odd", "edge"]
)
def test_stream_of_unknown_length_comes_back(workshop, length, sizes):
    content = random.Random(length).randbytes(length)
    workshop.stage(streams=[("stream", OddReads(content, sizes))])
    with workshop.reader() as reader:
        assert reader.read("stream") == content


def test_stream_has_the_mode_and_time_that_were_given(workshop):
    before = time.time_ns()
    with workshop.writer() as writer:
        writer.add_stream(io.BytesIO(b"x"), "plain")
        writer.add_stream(io.BytesIO(b"x"), "given", mode=0o600, mtime_ns=-5)
        writer.seal()
    with workshop.reader() as reader:
        plain, given = reader.items()
    assert plain.mode == 0o644
    assert before <= plain.mtime_ns <= time.time_ns()
    assert (given.mode, given.mtime_ns) == (0o600, -5)


class BrokenStream:
    def __init__(self, after):
        self.left = after

    def read(self, size, /):
        if self.left <= 0:
            raise TimeoutError("the database went away")
        size = min(size, self.left)
        self.left -= size
        return b"b" * size


@pytest.mark.parametrize("after", [0, 1000, CHUNK + 1, 5 * CHUNK])
def test_error_of_a_stream_passes_through_and_adds_nothing(workshop, after):
    with workshop.writer() as writer:
        writer.add_stream(io.BytesIO(b"first"), "first")
        with pytest.raises(TimeoutError, match="the database"):
            writer.add_stream(BrokenStream(after), "broken")
        writer.add_stream(io.BytesIO(b"second"), "second")
        for number in range(20):
            with pytest.raises(TimeoutError):
                writer.add_stream(BrokenStream(3 * CHUNK), f"broken again {number}")
        assert writer.seal().items == 2
    with workshop.reader() as reader:
        assert {item.name: reader.read(item.name) for item in reader.items()} == {
            "first": b"first",
            "second": b"second",
        }


def test_stream_that_gives_more_than_it_was_asked_for_is_refused(workshop):
    class Generous:
        def read(self, size, /):
            return bytes(size + 1)

    with workshop.writer() as writer, pytest.raises(ValueError, match="more bytes"):
        writer.add_stream(Generous(), "generous")


# The seed itself.


def test_staging_location_inside_the_source_is_left_out(workshop, tree):
    (tree / "file").write_text("x")
    store = FolderStore(tree / "staged" / "store")
    options = SeedOptions(chunk_bytes=CHUNK, segment_bytes=512 * KIB)
    with SeedWriter(store, tree / "catalogs" / "c.sqlite", options=options) as writer:
        writer.add_tree(tree)
        writer.checkpoint()
        writer.add_tree(tree)
        writer.seal()
    with SeedReader(store) as reader:
        assert sorted(item.name for item in reader.items()) == ["file", "staged"]
        findings = {(finding.subject, finding.code) for finding in reader.catalog.findings()}
    assert findings == {
        ("catalogs", "staging-location-skipped"),
        ("staged/store", "staging-location-skipped"),
    }


# What the host does.


class StopError(Exception):
    pass


@pytest.mark.parametrize(
    "error",
    [StopError(), BrokenPipeError(), KeyboardInterrupt()],
    ids=lambda error: type(error).__name__,
)
def test_exception_of_on_event_stops_staging_and_reaches_the_caller(
    workshop, tree, tmp_path, snapshot, error
):
    for number in range(50):
        fill(tree / f"{number:02d}", 3 * CHUNK, number)

    def stop(event):
        if isinstance(event, SeedCheckpoint) and event.stored_bytes > 5 * CHUNK:
            raise error

    with (
        pytest.raises(type(error)),
        workshop.writer(on_event=stop, checkpoint_bytes=1) as writer,
    ):
        writer.add_tree(tree)
    with workshop.writer() as writer:
        writer.add_tree(tree)
        seal = writer.seal()
    assert seal.findings == 0
    restore(workshop, tmp_path / "out")
    assert snapshot(tmp_path / "out") == snapshot(tree)


@pytest.mark.parametrize("error", [StopError(), BrokenPipeError()], ids=["own", "OSError"])
def test_exception_of_on_event_at_a_finding_reaches_the_caller(workshop, tree, error):
    os.mkfifo(tree / "pipe")

    def stop(event):
        if isinstance(event, FindingSeen):
            raise error

    with pytest.raises(type(error)), workshop.writer(on_event=stop) as writer:
        writer.add_tree(tree)
