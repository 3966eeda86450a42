"""
The benchmarks' own instruments: what they report has to be so. No test here asserts on speed.
"""

import importlib.util
import random
import shutil
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


def load(name):
    spec = importlib.util.spec_from_file_location(
        f"offlineseed_benchmarks{name}", HERE / f"{name}.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


corpora = load("_corpora")
measuring = load("_measure")
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="Linux: memory is read from /proc")


def python(code):
    return [sys.executable, "-c", code]


def files_of(corpus):
    return {
        path.relative_to(corpus.folder).as_posix(): path.read_bytes()
        for path in sorted(corpus.folder.rglob("*"))
        if path.is_file()
    }


def test_measure_of_a_sleeping_process_counts_wall_time_but_not_processor_time():
    task = measuring.Task(name="sleep", command=python("import time; time.sleep(0.3)"))

    measured = measuring.measure(task)

    assert measured.wall_seconds >= 0.3
    assert measured.cpu_seconds < measured.wall_seconds


def test_measure_of_a_pipeline_counts_the_processor_time_of_every_part():
    busy = "import time; e = time.process_time() + 0.2\nwhile time.process_time() < e: pass"
    script = f"{sys.executable} -c '{busy}' | {sys.executable} -c '{busy}'"
    task = measuring.Task(name="pipeline", command=["sh", "-c", script])

    assert measuring.measure(task).cpu_seconds >= 0.4


@ON_LINUX
def test_measure_adds_up_the_memory_of_processes_that_run_together():
    hold = "import time; b = b'x' * (40 << 20); time.sleep(0.6)"
    script = f'{sys.executable} -c "{hold}" & {sys.executable} -c "{hold}"; wait'
    task = measuring.Task(name="two", command=["sh", "-c", script])

    assert measuring.measure(task).peak_mib >= 80


@ON_LINUX
def test_measure_of_a_small_process_is_not_blamed_for_its_parents_memory():
    ballast = b"x" * (200 << 20)
    task = measuring.Task(name="sleep", command=["sleep", "0.2"])

    measured = measuring.measure(task)

    assert len(ballast) == 200 << 20
    assert 0 < measured.peak_mib < 100


def test_measure_removes_old_output_and_counts_the_new(tmp_path):
    output = tmp_path / "out"
    output.mkdir()
    (output / "old").write_bytes(bytes(5000))
    code = f"""
import os
os.mkdir({str(output)!r})
open({str(output / "a")!r}, "wb").write(bytes(1234))
"""
    task = measuring.Task(name="write", command=python(code), output=output)

    assert measuring.measure(task).bytes_out == 1234
    assert [path.name for path in output.iterdir()] == ["a"]


def test_measure_of_a_callable_runs_it_in_another_process(tmp_path):
    output = tmp_path / "out"
    here = []

    def work():
        here.append(1)
        output.write_bytes(bytes(77))
        time.sleep(0.1)

    measured = measuring.measure(measuring.Task(name="work", command=work, output=output))

    assert measured.bytes_out == 77
    assert measured.wall_seconds >= 0.1
    assert here == []


def test_measure_of_a_failing_program_raises_with_its_last_words():
    code = "import sys; sys.exit('the disk is full')"
    task = measuring.Task(name="peer", command=python(code))

    with pytest.raises(measuring.CommandFailedError, match="peer ended with 1: the disk is full"):
        measuring.measure(task)


def test_measure_of_a_failing_callable_raises_with_its_traceback():
    def fail():
        raise ValueError("no such corpus")

    with pytest.raises(measuring.CommandFailedError, match="ValueError: no such corpus"):
        measuring.measure(measuring.Task(name="ours", command=fail))


def test_compare_runs_pairs_and_takes_the_median_of_their_ratios(tmp_path):
    order = tmp_path / "order"

    def task(name, seconds):
        def prepare():
            with order.open("a") as file:
                file.write(name)

        code = f"import time; time.sleep({seconds})"
        return measuring.Task(name=name, command=python(code), prepare=prepare)

    comparison = measuring.compare(task("a", 0.0), task("b", 0.5), pairs=3)

    assert order.read_text() == "ba" + "ab" + "ba" + "ab"
    assert len(comparison.ours) == len(comparison.theirs) == 3
    assert comparison.ratio == sorted(comparison.ratios)[1]
    assert comparison.ratio < 1


def test_comparison_as_a_row_has_the_columns_of_the_report():
    def runs(*walls):
        return tuple(
            measuring.Measurement(wall_seconds=w, cpu_seconds=w, peak_mib=w * 10, bytes_out=500)
            for w in walls
        )

    comparison = measuring.Comparison(
        name="stage", peer="tar | zstd -1", ours=runs(1.0, 2.0, 9.0), theirs=runs(4.0, 4.0, 4.0)
    )

    assert comparison.row("files", 3_000_000) == {
        "name": "stage",
        "corpus": "files",
        "peer": "tar | zstd -1",
        "ratio": 0.5,
        "mb_per_s": 1.5,
        "cpu_s": 2.0,
        "peak_mib": 90.0,
        "bytes_out": 500,
    }


@pytest.mark.parametrize("name", ["random", "tiny"])
def test_generated_corpus_built_twice_is_the_same(name, tmp_path):
    first = corpora.build_corpus(name, tmp_path / "a", scale=0.001)
    second = corpora.build_corpus(name, tmp_path / "b", scale=0.001)

    assert files_of(first) == files_of(second)
    assert first.content_bytes == sum(map(len, files_of(first).values()))
    assert first.files == len(files_of(first))


def test_corpus_in_the_cache_is_not_built_again(tmp_path):
    first = corpora.build_corpus("tiny", tmp_path, scale=0.001)
    built = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}

    assert corpora.build_corpus("tiny", tmp_path, scale=0.001) == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == built


def test_corpus_half_built_is_built_anew(tmp_path):
    whole = files_of(corpora.build_corpus("tiny", tmp_path / "a", scale=0.001))
    for name in ("tiny-0.001-v1", "tiny-0.001-v1.part"):
        folder = tmp_path / "b" / name
        folder.mkdir(parents=True)
        (folder / "torn").write_bytes(b"x")

    assert files_of(corpora.build_corpus("tiny", tmp_path / "b", scale=0.001)) == whole


def test_tiny_corpus_holds_small_texts(tmp_path):
    sizes = [len(c) for c in files_of(corpora.build_corpus("tiny", tmp_path, scale=0.004)).values()]

    assert len(sizes) == 200
    assert min(sizes) >= 1024
    assert max(sizes) <= 8192


def test_files_corpus_comes_near_the_asked_count_and_length():
    source = random.Random(7)
    candidates = [
        corpora._Candidate(rank=n, path=f"/usr/lib/{n}", size=int(source.lognormvariate(8, 2.5)))
        for n in range(20_000)
    ]

    chosen = corpora._choose(candidates, count=3_000, length=150 << 20)

    assert 2_900 <= len(chosen) <= 3_300
    assert 0.9 <= sum(c.size for c in chosen) / (150 << 20) <= 1.1
    assert len({c.path for c in chosen}) == len(chosen)


def test_files_corpus_on_a_small_machine_takes_what_there_is():
    candidates = [corpora._Candidate(rank=n, path=f"/{n}", size=100) for n in range(10)]

    assert corpora._choose(candidates, count=30_000, length=1 << 30) == candidates


def test_image_corpus_without_its_tool_names_it(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)

    with pytest.raises(corpora.CorpusUnavailableError, match="install e2fsprogs"):
        corpora.build_corpus("image", tmp_path, scale=0.001)

    assert list(tmp_path.iterdir()) == []


def test_large_file_has_the_asked_length_and_no_equal_pieces(tmp_path):
    corpus = corpora.build_large_file(tmp_path, length=(20 << 20) + 5)
    (content,) = files_of(corpus).values()

    assert len(content) == corpus.content_bytes == (20 << 20) + 5
    pieces = [content[start : start + (1 << 20)] for start in range(0, 20 << 20, 1 << 20)]
    filled = [piece for piece in pieces if piece.strip(b"\0")]
    assert len(filled) == len(set(filled)) == 16
