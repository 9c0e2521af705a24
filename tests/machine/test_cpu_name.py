from tvm_patdnn.machine.cpu_name import cpu_name


def test_the_cpu_is_named_with_its_number(tmp_path, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1}, raising=False)
    (tmp_path / "cpuinfo").write_text("flags\t: fpu\nmodel name\t: Some   CPU @ 2 GHz\n")
    assert cpu_name(tmp_path / "cpuinfo") == "Some CPU @ 2 GHz, 2 CPUs"
    assert cpu_name(tmp_path / "none").endswith(", 2 CPUs")
