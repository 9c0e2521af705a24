import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from tests.bench.gpu.stand_in import StandIn
from tests.gpu.opencl import require_opencl
from tvm_patdnn.bench.gpu import race_bundle
from tvm_patdnn.bench.gpu.device import CudaDevice
from tvm_patdnn.bench.gpu.layer_case import Layer, LayerCase, layer_weight
from tvm_patdnn.bench.gpu.race_bundle import missing_rows
from tvm_patdnn.bench.gpu.race_layers import LayerRace
from tvm_patdnn.bench.gpu.write_bundle import LayerPlan, write_bundle
from tvm_patdnn.errors import BenchError
from tvm_patdnn.machine.targets import resolve_target

LAYER = Layer(name="small", in_c=16, out_c=8, side=9)
PLANS = (
    LayerPlan(variant="free", batch=1, schedules=2),
    LayerPlan(variant="blocks of 4", batch=2, schedules=1),
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    require_opencl()
    folder = tmp_path_factory.mktemp("bundle")
    write_bundle(folder, resolve_target("opencl"), [LAYER], PLANS)
    return folder


def cases(folder) -> list[LayerCase]:
    lines = (folder / "cases.jsonl").read_text().splitlines()
    return [LayerCase.from_json(json.loads(line)) for line in lines]


def race(folder) -> LayerRace:
    return LayerRace(StandIn(), folder, torch, where="cpu")


def test_every_kernel_is_right_and_timed(bundle):
    found = cases(bundle)
    assert len(found) >= 2
    rows = list(race(bundle).ours(found))
    assert all(row["right"] for row in rows)
    assert [row["us"] for row in rows] == [2.0 * (i + 1) for i in range(len(rows))]
    assert rows[0]["system"] == "ours, free"
    assert rows[0]["schedule"] == found[0].schedule
    assert rows[-1]["dense_macs"] == 2 * 9 * 16 * 8 * 81


def test_a_wrong_kernel_is_told(bundle):
    (module,) = {case.module for case in cases(bundle) if case.variant == "free"}
    source = (bundle / module).read_text()
    wrong = [case for case in cases(bundle) if case.variant == "free"][:1]
    try:
        (bundle / module).write_text(source.replace("0.000000e+00f", "1.000000e+00f"))
        (row,) = race(bundle).ours(wrong)
    finally:
        (bundle / module).write_text(source)
    assert not row["right"]


def test_a_case_that_fails_does_not_end_the_race(bundle):
    found = cases(bundle)[:1]
    gone = LayerCase.from_json(found[0].as_json() | {"module": "gone.cl"})
    first, second = race(bundle).ours([gone, *found])
    assert first["error"].startswith("FileNotFoundError")
    assert second["right"]


def test_what_has_a_row_is_not_raced_again(bundle):
    found = cases(bundle)
    rows = list(missing_rows(race(bundle), found, []))
    assert [row["system"].split()[0] for row in rows[:6]] == ["torch"] * 6
    assert {row.get("kernel") for row in rows[6:]} >= {found[0].name}
    assert list(missing_rows(race(bundle), found, rows)) == []
    again = list(missing_rows(race(bundle), found, rows[:7]))
    assert found[0].name not in {row.get("kernel") for row in again}
    assert found[1].name in {row.get("kernel") for row in again}


def test_the_race_writes_rows_as_it_goes_and_goes_on_where_it_was(
    bundle, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(race_bundle, "CudaDevice", StandIn)
    rows = tmp_path / "rows.jsonl"
    assert race_bundle.race_bundle(bundle, rows, seconds=0) == 1
    assert "out of time" in capsys.readouterr().out
    first = rows.read_text()
    assert race_bundle.race_bundle(bundle, rows, seconds=600) == 0
    found = [json.loads(line) for line in rows.read_text().splitlines()]
    assert rows.read_text().startswith(first)
    assert {row["gpu"] for row in found} == {"stand-in"}
    assert sum("kernel" in row for row in found) == len(cases(bundle))


def test_torch_is_timed_in_every_precision_and_order():
    rows = list(race(None).torchs(LAYER, 1))
    assert [row["system"] for row in rows[::2]] == ["torch fp32", "torch tf32", "torch fp16"]
    assert {row["order"] for row in rows} == {"contiguous_format", "channels_last"}


def test_the_machine_with_the_gpu_needs_no_tvm():
    code = "import sys; sys.modules['tvm'] = None; import tvm_patdnn.bench.gpu.race_bundle"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_a_gpu_the_race_says_what_it_needs(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(
        BenchError, match="no CUDA GPU: the race needs one, its driver, and a torch"
    ):
        CudaDevice()


@pytest.mark.parametrize(("variant", "block"), [("free", 1), ("blocks of 4", 4), ("dense", 4)])
def test_a_weight_is_the_same_every_time_and_pruned_as_it_says(variant, block):
    weight, ids, patterns, group = layer_weight(LAYER, variant)
    np.testing.assert_array_equal(weight, layer_weight(LAYER, variant)[0])
    assert group == block
    assert ((weight != 0).sum(axis=(2, 3)) == np.where(ids < 0, 0, len(patterns[0]))).all()
    if variant != "dense":
        assert ((ids >= 0).sum(axis=1) == round(16 / 3.6)).all()
