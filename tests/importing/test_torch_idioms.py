"""Usual ways to write networks in torch, by each of its exporters, give torch's own numbers."""

import numpy as np
import onnxruntime
import pytest
import torch

import tvm_patdnn
from tests.importing.idioms import (
    activations,
    arithmetic,
    attention,
    blocks,
    convolutions,
    heads,
    normalising,
    resizing,
    tensors,
)
from tests.importing.idioms.exceptions import DECLINED, EXPORTED_OTHERWISE, NOT_EXPORTED
from tests.importing.idioms.export import EXPORTERS, export
from tests.importing.operators_page import PAGE, counts_on_page
from tvm_patdnn.errors import ModelError

TOPICS = (
    resizing,
    convolutions,
    blocks,
    normalising,
    activations,
    attention,
    heads,
    tensors,
    arithmetic,
)
IDIOMS = {name: idiom for topic in TOPICS for name, idiom in topic.IDIOMS.items()}

# The newer exporter takes half a second where the other takes 0.01.
TURNS = ("legacy-11", "legacy-17", "legacy-11", "legacy-17", "dynamo")


def check(name, exporter):
    idiom = IDIOMS[name]
    if name in NOT_EXPORTED[exporter]:
        with pytest.raises(Exception, match=NOT_EXPORTED[exporter][name]):
            export(idiom, exporter)
        return
    model = export(idiom, exporter)
    if name in DECLINED:
        check_declined(model, DECLINED[name])
        return
    inputs = {f"x{i}": x.numpy() for i, x in enumerate(idiom.inputs())}
    got = list(tvm_patdnn.build(model).run(inputs).values())
    right = by_torch(idiom)
    if name in EXPORTED_OTHERWISE[exporter]:
        with pytest.raises(AssertionError):
            assert_same(got, right)
        right = onnxruntime.InferenceSession(model.SerializeToString()).run(None, inputs)
    assert_same(got, right)


def by_torch(idiom):
    with torch.no_grad():
        right = idiom.network()(*idiom.inputs())
    return [each.numpy() for each in ([right] if torch.is_tensor(right) else right)]


def assert_same(got, right):
    for ours, theirs in zip(got, right, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5, strict=True)


def check_declined(model, operator):
    """The error names the operator, and the page of operators says so, too."""
    right, total = counts_on_page(PAGE.read_text())[operator]
    assert right < total
    with pytest.raises(ModelError, match=operator):
        tvm_patdnn.build(model)


def test_there_are_enough():
    assert len(IDIOMS) == sum(len(topic.IDIOMS) for topic in TOPICS) >= 101


@pytest.mark.parametrize(("turn", "name"), list(enumerate(IDIOMS)))
def test_idiom(turn, name):
    able = [exporter for exporter in TURNS if name not in NOT_EXPORTED[exporter]]
    check(name, able[turn % len(able)])


@pytest.mark.long
@pytest.mark.parametrize("exporter", EXPORTERS)
@pytest.mark.parametrize("name", IDIOMS)
def test_idiom_by_every_exporter(name, exporter):
    check(name, exporter)
