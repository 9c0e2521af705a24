import json

import onnx
import pytest

from tests.bench.samples import row
from tests.onnx_models import model_of
from tvm_patdnn.bench.contest import Outcome
from tvm_patdnn.bench.rows import Status, json_line
from tvm_patdnn.cli import main

_ABSENT = "tests.bench.fake_systems:ABSENT"


@pytest.fixture
def measured(monkeypatch):
    """Replaces the comparison; returns the subjects and options it was asked for."""
    asked = []

    def run(subject, systems, options, command="", progress=None, venue=None) -> Outcome:
        asked.append((subject, [system.name for system in systems], options, command))
        about = {name: getattr(subject, name) for name in ("model", "layer", "series", "value")}
        rows = [
            row(system.name, threads=options.threads, command=command, **about)
            for system in systems
        ]
        return Outcome(rows=rows, interrupted=False)

    monkeypatch.setattr("tvm_patdnn.bench.session.run_contest", run)
    return asked


def test_a_real_comparison(files, printed, tmp_path):
    """Ours with the pruned model, the reference with the dense one, and one that is missing."""
    out = printed(
        "bench", files / "pruned.onnx", "--dense", files / "model.onnx", "--quick", "--threads", 1,
        "--against", f"onnxruntime,{_ABSENT}", "--json", tmp_path / "rows.jsonl",
    )  # fmt: skip
    assert out.startswith("pruned, 1 thread: tvm-patdnn takes ")
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert [(each["system"], each["status"]) for each in rows] == [
        ("tvm-patdnn", "ok"),
        ("onnxruntime", "ok"),
        (_ABSENT, "missing"),
    ]
    ours, reference, _ = rows
    assert ours["max_rel_error"] < 1e-3  # of the reference's output for the pruned weights
    assert reference["max_rel_error"] == 0.0
    assert (ours["ratio"], ours["repeats"]) == (1.0, 12)
    assert reference["ratio"] > 0
    assert ours["facts"]["peak_macs_per_s"] > 1e8
    layers = ours["facts"]["layers"]
    assert [layer["name"] for layer in layers] == ["conv1", "conv2"]
    assert all(layer["share_of_peak"] > 0 for layer in layers)


def test_all_systems_take_part_by_default(files, printed, measured):
    printed("bench", files / "pruned.onnx")
    ((subject, systems, options, _),) = measured
    assert subject.dense is None
    assert systems[0] == "tvm-patdnn"
    assert {"tvm-dense", "onnxruntime", "openvino", "ncnn", "MNN", "torch"} < set(systems)
    assert options.thorough


def test_settings_are_passed_on(files, printed, measured):
    printed("bench", files / "pruned.onnx", "--threads", 3, "--repeats", 7, "--against", "ncnn")
    ((_, systems, options, _),) = measured
    assert (systems, options.threads, options.repeats) == (["tvm-patdnn", "ncnn"], 3, 7)


def test_each_distinct_layer_is_compared(files, printed, measured):
    out = printed("bench", files / "pruned.onnx", "--per-layer", "--against", "tvm-dense")
    assert [asked[0].layer for asked in measured] == [
        "conv1 (3x3, 3->8@16x16)",
        "conv2 (3x3, 8->8@16x16)",
    ]
    assert out.splitlines()[2].split()[:4] == ["layer,", "ms", "tvm-patdnn", "tvm-dense"]


def test_without_a_model_each_of_our_kernels_is_compared(printed, measured):
    out = printed("bench", "--per-layer", "--against", "onnxruntime")
    layers = [asked[0].layer for asked in measured]
    assert {"pattern conv2d", "max pool2d", "sparse fully connected"} < set(layers)
    assert out.startswith("kernels by layer, ")


def test_a_sweep_is_a_comparison_at_each_value(files, printed, measured, tmp_path):
    out = printed(
        "bench", "--sweep", "compression", files / "model.onnx", "--values", "2.25,18",
        "--json", tmp_path / "rows.jsonl",
    )  # fmt: skip
    assert [asked[0].value for asked in measured] == [2.25, 18]
    assert measured[0][1] == ["tvm-patdnn", "tvm-dense", "onnxruntime"]
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert [(each["series"], each["value"]) for each in rows] == [
        *[("compression", 2.25)] * 3,
        *[("compression", 18)] * 3,
    ]
    assert out.startswith("model by compression, ")
    assert "break-even with tvm-dense below 2.25x" in out


def test_a_sweep_of_threads_ends_at_those_given(files, printed, measured):
    words = ("--sweep", "threads", files / "model.onnx", "--threads", 2, "--against", "ncnn")
    printed("bench", *words)
    assert [(options.threads, systems) for _, systems, options, _ in measured] == [
        (1, ["tvm-patdnn", "ncnn"]),
        (2, ["tvm-patdnn", "ncnn"]),
    ]


def test_a_ladder_climbs_its_rungs_and_may_have_others_beside_them(files, printed, measured):
    words = ("--ladder", files / "pruned.onnx", "--per-layer", "--against", "onnxruntime")
    out = printed("bench", *words)
    rungs = ["dense", "csr", "no-opt", "+reorder", "+LRE", "+tune"]
    assert [systems for _, systems, _, _ in measured] == [[*rungs, "onnxruntime"]] * 2
    assert out.startswith("The ladder on pruned, ")


def test_if_the_last_rung_is_wrong_the_command_fails(files, capsys, monkeypatch):
    wrong = row("+tune", series="ladder", status=Status.WRONG, message="differs")
    monkeypatch.setattr(
        "tvm_patdnn.bench.session.run_contest",
        lambda *_: Outcome(rows=[wrong], interrupted=False),
    )
    assert main(["bench", "--ladder", str(files / "pruned.onnx")]) == 1
    assert "net: +tune wrong: differs" in capsys.readouterr().err


def test_a_value_that_makes_no_sense_is_told(failing):
    said = failing("bench", "--sweep", "threads", "--values", "0")
    assert "threads: got the value 0, expected whole numbers of at least 1" in said


def test_rows_can_be_printed(files, printed, measured):
    lines = printed("bench", files / "pruned.onnx", "--against", "ncnn", "--json", "-").splitlines()
    assert [json.loads(line)["system"] for line in lines] == ["tvm-patdnn", "ncnn"]


def test_folders_stay_out_of_the_rows(files, printed, measured, monkeypatch):
    words = ["tvm-patdnn", "bench", str(files / "pruned.onnx"), "--quick"]
    monkeypatch.setattr("sys.argv", words)
    printed(*words[1:])
    assert measured[0][3] == "tvm-patdnn bench pruned.onnx --quick"


def test_plots_are_drawn(files, printed, measured, tmp_path):
    pytest.importorskip("matplotlib")
    words = [word for name in ("a.png", "b.svg") for word in ("--plot", tmp_path / name)]
    printed("bench", files / "pruned.onnx", *words)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.svg"]


def test_stopped_by_the_user_it_shows_what_it_has(files, capsys, monkeypatch, tmp_path):
    def run(subject, systems, *_) -> Outcome:
        rows = [row(), row("ncnn", status=Status.INTERRUPTED, median_s=None, message="before")]
        return Outcome(rows=rows, interrupted=True)

    monkeypatch.setattr("tvm_patdnn.bench.session.run_contest", run)
    words = ["bench", str(files / "pruned.onnx"), "--json", str(tmp_path / "rows.jsonl")]
    assert main(words) == 130
    assert "interrupted: before" in capsys.readouterr().out
    assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == 2


def test_if_ours_is_wrong_the_command_fails(files, capsys, monkeypatch):
    wrong = row(status=Status.WRONG, message="differs from onnxruntime by 2")
    monkeypatch.setattr(
        "tvm_patdnn.bench.session.run_contest",
        lambda *_: Outcome(rows=[wrong], interrupted=False),
    )
    assert main(["bench", str(files / "pruned.onnx")]) == 1
    said = capsys.readouterr()
    assert "net: tvm-patdnn wrong: differs from onnxruntime by 2" in said.err
    assert "wrong: differs" in said.out


def test_an_unknown_system_is_told(files, failing):
    said = failing("bench", files / "pruned.onnx", "--against", "tensorflow")
    assert "there is no system 'tensorflow' to compare with; expected tvm-dense, " in said


def test_another_network_is_no_dense_twin(files, failing, tmp_path):
    node = onnx.helper.make_node("Relu", ["z"], ["y"])
    onnx.save(model_of([node], inputs={"z": (1, 2)}), tmp_path / "other.onnx")
    said = failing("bench", files / "pruned.onnx", "--dense", tmp_path / "other.onnx")
    assert "other.onnx: has the inputs {'z': (1, 2)}, " in said
    assert "give the model that was pruned" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give one of MODEL.onnx, --per-layer, --sweep, --ladder, --install and --report"),
        (["m.onnx", "--install", "ncnn"], "give one of"),
        (["m.onnx", "-o", "page.md"], "--report and -o belong together"),
        (["--report", "rows.jsonl"], "--report and -o belong together"),
        (["--sweep", "threads", "--install", "ncnn"], "give one of"),
        (["--sweep", "threads", "--ladder"], "--sweep cannot be combined with --ladder or"),
        (["m.onnx", "--sweep", "threads", "--per-layer"], "--sweep cannot be combined with"),
        (["m.onnx", "--ladder", "--dense", "d.onnx"], "--dense is not used here"),
        (["--ladder", "--per-layer"], "--ladder --per-layer needs MODEL.onnx"),
        (["--per-layer", "--install", "ncnn"], "give one of"),
        (["--per-layer", "--dense", "d.onnx"], "--dense needs MODEL.onnx"),
        (["m.onnx", "--values", "1,2"], "--values belongs to --sweep"),
        (["--sweep", "depth"], "invalid choice: 'depth'"),
    ],
)
def test_what_to_do_must_be_clear(words, said, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["bench", *words])
    assert said in capsys.readouterr().err


def test_environments_are_made(printed, monkeypatch, tmp_path):
    asked = []

    def install(system, progress) -> object:
        asked.append(system.name)
        return tmp_path / system.name

    monkeypatch.setattr("tvm_patdnn.bench.environments.install", install)
    out = printed("bench", "--install", "openvino, MNN")
    assert asked == ["openvino", "MNN"]
    assert out.splitlines() == [str(tmp_path / name) for name in asked]


def test_a_page_is_written(printed, tmp_path):
    pytest.importorskip("matplotlib")
    (tmp_path / "rows.jsonl").write_text(json_line(row()))
    page = tmp_path / "page.md"
    printed("bench", "--report", tmp_path / "rows.jsonl", "-o", page)
    assert "[net](page/net.md) | 2 | 4 |" in page.read_text()
    assert "takes 4 ms" in (tmp_path / "page" / "net.md").read_text()
