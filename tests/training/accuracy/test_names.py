from tests.training.samples import dense, row
from tvm_patdnn.training.accuracy.names import name, rate_text, tell_apart


def test_names():
    big = {"distill": 0.5, "teacher": "big of 9 epochs"}
    assert name(row()) == "ADMM"
    assert name(row(distill=0.5)) == "ADMM with distillation"
    assert name(row(**big)) == "ADMM with distillation from big of 9 epochs"
    assert name(dense(**big)) == "dense, trained on with distillation from big of 9 epochs"
    early = {**big, "settings": {"distill_pruning": True}}
    assert name(row(**early)) == "ADMM with distillation from big of 9 epochs while pruning, too"
    assert name(dense(**early)) == name(dense(**big))
    assert name(row(rates={"a": 2.0})) == "ADMM, rates by layer"
    assert name(row(method="filter", scope="balanced")) == "filter pruning"
    assert name(row(method="unstructured", filter_block=4)) == "unstructured magnitude"
    assert name(row(method="oneshot")) == "one-shot magnitude"
    assert name(row(method="gradual", scope="global")) == "gradual magnitude (cubic), global"
    assert name(row(scope="balanced", connectivity=1.0)) == "ADMM"
    assert name(row(rewind=2)) == "ADMM, retrained from epoch 2"
    assert name(row(rewind="fresh")) == "ADMM, retrained from fresh weights"
    assert name(row(patterns=56)) == "ADMM, all 56 patterns"
    blocks = {"filter_block": 4}
    assert name(row(**blocks)) == "ADMM, blocks of 4 filters"
    assert name(row(**blocks, filter_grouping="similar")) == "ADMM, blocks of 4 similar filters"


def test_rates():
    assert rate_text(row()) == "3.6x"
    assert rate_text(row(connectivity=1.0)) == "patterns only"
    assert rate_text(row(rates={"a": 2.0})) == "by layer"
    assert rate_text(dense()) == ""


def test_equal_names_are_told_apart_by_settings_but_not_by_the_machines():
    rows = [row(settings={"rho": rho, "precision": "auto"}) for rho in (0.25, 0.5)]
    assert tell_apart(rows) == ["ADMM (rho 0.25)", "ADMM (rho 0.5)"]
    rows = [row(settings={"precision": each}) for each in ("auto", "float32")]
    assert tell_apart(rows) == ["ADMM", "ADMM"]
    assert tell_apart([row(patterns=6), row()]) == ["ADMM (patterns 6)", "ADMM (patterns 8)"]
