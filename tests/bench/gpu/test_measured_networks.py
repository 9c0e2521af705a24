from tvm_patdnn.bench.gpu.measured_networks import networks_section


def row(us: float, **more: object) -> dict:
    found = {"network": "vgg16", "batch": 1, "storage": "float32", "launch": "graph", "us": us}
    return {**found, "system": "torch", "variant": "dense", "tf32": False, **more}


ROWS = [
    row(100.0, layout="contiguous_format"),
    row(80.0, layout="channels_last"),
    row(40.0, tf32=True),
    row(20.0, tf32=True, storage="float16"),
    row(10.0, system="patdnn", variant="blocks"),
    row(30.0, system="patdnn", variant="blocks", launch="one by one"),
    row(5.0, system="patdnn", variant="blocks", storage="float16"),
    row(7.0, batch=8),
]


def test_a_network_has_the_least_of_each_kind():
    lines = networks_section(ROWS).splitlines()
    assert "| VGG-16 | 80 | 40 | 20 | 10 | 8.0 | 4.0 |  |  |" in lines


def test_a_network_without_rows_has_an_empty_line():
    assert "| ResNet-18 |  |  |  |  |  |  |  |  |" in networks_section(ROWS)
