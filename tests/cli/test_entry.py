import json
import os
import subprocess
import sys

import pytest

from tvm_patdnn import errors
from tvm_patdnn.cli import entry

HEAVY = ("numpy", "onnx", "onnxruntime", "torch", "tvm", "PIL")
COMMANDS = ["inspect", "prune", "quantize", "build", "run", "logs"]


def run_python(code, *words):
    return subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("words", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_imports_nothing_heavy(words):
    code = (
        "import atexit, sys\n"
        f"loaded = lambda: sorted(set({HEAVY!r}) & set(sys.modules))\n"
        "atexit.register(lambda: print(loaded(), file=sys.stderr))\n"
        "from tvm_patdnn.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    done = run_python(code, *words)
    assert done.returncode == 0
    assert done.stdout.startswith("usage: tvm-patdnn")
    assert done.stderr == "[]\n"


def test_help_lists_the_commands(capsys):
    with pytest.raises(SystemExit) as stopped:
        entry.main(["--help"])
    assert stopped.value.code == 0
    listed = capsys.readouterr().out
    assert all(f"    {name}  " in listed for name in COMMANDS)


def test_version(capsys):
    with pytest.raises(SystemExit) as stopped:
        entry.main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out.startswith("tvm-patdnn ")


def test_as_a_module():
    code = "import runpy; runpy.run_module('tvm_patdnn', run_name='__main__')"
    done = run_python(code, "nonsense")
    assert done.returncode == 2
    assert "invalid choice: 'nonsense'" in done.stderr


@pytest.mark.parametrize(
    "words", [[], ["nonsense"], ["build", "model.onnx"], ["run"], ["eval", "model.so"]]
)
def test_usage_errors(misused, words):
    assert misused(*words).startswith("usage: tvm-patdnn")


@pytest.fixture
def raising(monkeypatch):
    """Makes `inspect` raise."""

    def choose(error):
        def fail(_):
            raise error

        class Command:
            @staticmethod
            def add_parser(commands):
                commands.add_parser("fail").set_defaults(run=fail)

        monkeypatch.setattr(entry, "COMMANDS", (Command,))

    return choose


@pytest.mark.parametrize(
    "error", [getattr(errors, name)("first\n  second") for name in errors.__all__]
)
def test_errors_are_one_line(raising, failing, error):
    raising(error)
    assert failing("fail") == "tvm-patdnn: error: first second\n"


def test_errors_of_the_system_are_one_line(raising, failing):
    raising(OSError(28, "No space left on device"))
    assert failing("fail") == "tvm-patdnn: error: [Errno 28] No space left on device\n"


def test_our_own_mistakes_are_not_hidden(raising):
    raising(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        entry.main(["fail"])


def test_interruption(raising, capsys):
    raising(KeyboardInterrupt())
    assert entry.main(["fail"]) == 130
    assert capsys.readouterr().err == "tvm-patdnn: interrupted\n"


def test_a_reader_that_has_seen_enough(files):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "tvm_patdnn", "prune", files / "model.onnx", "-o", files / "p.onnx"],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_command_prints_json(files, printed, tmp_path):
    model, out = files / "pruned.onnx", tmp_path / "out"
    for words in (
        ["inspect", model],
        ["prune", model, "-o", out],
        ["build", model, "-o", out],
        ["run", files / "model.so", "--input", f"x={files / 'x.npy'}"],
    ):
        assert isinstance(json.loads(printed(*words, "--json")), dict)
