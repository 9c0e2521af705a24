import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from relay_passes.recognition.cover_patterns import RARE, cover_patterns, zeros_stored
from tvm_patdnn.pruning.mining import candidate_patterns
from tvm_patdnn.sparse.fkw import pack_fkw
from tvm_patdnn.sparse.patterns import Pattern, find_patterns


def covered(weight: np.ndarray, **options):
    found = find_patterns(weight)
    return found, *cover_patterns(found.ids, found.patterns, found.counts, **options)


def drawn(*pictures: tuple[str, int]) -> np.ndarray:
    """A weight (1, kernels, 3, 3) of ones, so many kernels of each picture."""
    masks = [
        Pattern.from_picture(picture).mask() for picture, count in pictures for _ in range(count)
    ]
    return np.array(masks, np.float32)[None]


@st.composite
def weights(draw) -> np.ndarray:
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    shape = draw(st.sampled_from([(3, 3), (5, 5), (2, 2), (1, 1), (3, 1)]))
    density = draw(st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]))
    size = (draw(st.integers(1, 12)), draw(st.integers(1, 12)), *shape)
    mask = rng.random(size) < density
    return (rng.uniform(1, 2, size) * mask).astype(np.float32)


@settings(deadline=None)
@given(weights(), st.integers(1, 20))
def test_every_kernel_is_covered_by_its_new_pattern(weight, limit):
    found, ids, patterns = covered(weight, limit=limit)
    assert len(patterns) <= limit
    assert ids.shape == found.ids.shape
    assert np.array_equal(ids < 0, found.ids < 0)
    assert set(ids[ids >= 0]) == set(range(len(patterns)))
    for old, new in zip(found.ids.reshape(-1), ids.reshape(-1), strict=True):
        if old >= 0:
            assert set(found.patterns[old].taps) <= set(patterns[new].taps)
    packed = pack_fkw(weight, ids, patterns)
    if patterns:
        assert np.array_equal(packed.unpack(), weight)


@settings(deadline=None)
@given(weights(), st.integers(1, 20))
def test_every_kernel_has_the_smallest_pattern_that_covers_it(weight, limit):
    found, ids, patterns = covered(weight, limit=limit)
    for old, new in zip(found.ids.reshape(-1), ids.reshape(-1), strict=True):
        if old >= 0:
            taps = set(found.patterns[old].taps)
            covers = [len(p) for p in patterns if taps <= set(p.taps)]
            assert len(patterns[new]) == min(covers)


def test_a_small_set_stays_as_it_is():
    weight = drawn(("##./##./...", 40), (".##/.##/...", 30), ("#../.../...", 30))
    found, ids, patterns = covered(weight)
    assert patterns == found.patterns
    assert np.array_equal(ids, found.ids)


def test_a_weight_that_happens_to_be_zero_adds_no_pattern():
    weight = drawn(("##./##./...", 60), (".##/.##/...", 60))
    weight[0, 5, 0, 0] = 0
    found, ids, patterns = covered(weight)
    assert len(found.patterns) == 3
    assert [str(p) for p in patterns] == [".##/.##/...", "##./##./..."]
    assert str(patterns[ids[0, 5]]) == "##./##./..."


def test_rare_patterns_of_their_own_are_kept():
    weight = drawn(("##./##./...", 99), ("..#/.../...", 1))
    _, _, patterns = covered(weight)
    assert len(patterns) == 2


def test_a_frequent_part_of_another_pattern_is_kept():
    frequent = round(100 * RARE)
    _, _, patterns = covered(drawn(("##./##./...", 100 - frequent), ("##./#../...", frequent)))
    assert len(patterns) == 2


def test_a_rare_pattern_is_not_stored_within_another_rare_one():
    weight = drawn(("..#/..#/..#", 197), ("##./#../...", 1), ("##./##./...", 2))
    _, _, patterns = covered(weight)
    assert len(patterns) == 3


def test_more_patterns_than_the_limit_end_in_one_of_all_taps():
    rng = np.random.default_rng(0)
    weight = (rng.random((40, 40, 3, 3)) < 0.4).astype(np.float32)
    found, ids, patterns = covered(weight)
    assert len(found.patterns) > 100
    assert len(patterns) == 16
    assert str(patterns[-1]) == "###/###/###"
    work = {p: n * len(p) for p, n in zip(found.patterns, found.counts, strict=True)}
    left = max(work[p] for p in found.patterns if p not in patterns)
    assert min(work[p] for p in patterns[:-1]) >= left
    assert (ids[found.ids >= 0] >= 0).all()


def test_a_pattern_of_all_taps_is_there_only_if_a_kernel_needs_it():
    weight = drawn(("##./##./...", 10), ("##./#../...", 8), ("##./.../...", 6))
    _, ids, patterns = covered(weight, limit=2)
    assert [str(p) for p in patterns] == ["##./##./..."]
    assert set(ids.reshape(-1)) == {0}


def test_a_layer_without_kernels():
    _, ids, patterns = covered(np.zeros((3, 2, 3, 3)))
    assert patterns == ()
    assert (ids == -1).all()


def test_tens_of_thousands_of_patterns():
    """What unstructured pruning of a large kernel leaves."""
    weight = (np.random.default_rng(0).random((200, 200, 5, 5)) < 0.3).astype(np.float32)
    found, _, patterns = covered(weight)
    assert len(found.patterns) > 30_000
    assert len(patterns) == 16


def test_what_zeros_cost_is_said():
    """Of 18 patterns 15 have a loop of their own, and one of all taps takes in the rest."""
    pictures = [str(p) for p in candidate_patterns((3, 3), 2)[:8]] + [
        str(p) for p in candidate_patterns((3, 3), 3)[:10]
    ]
    weight = drawn(*((picture, 5) for picture in pictures))
    found, ids, patterns = covered(weight)
    stored = sum(len(patterns[i]) for i in ids.ravel())
    said = zeros_stored(found)
    assert said == (
        f"stored in fp32 as {len(patterns)} patterns with zeros, "
        f"{stored / found.kept_weights:.1f}x the weights"
    )
    assert stored / found.kept_weights > 1.05
    assert zeros_stored(find_patterns(drawn(("#../.../...", 3), ("##./.../...", 5)))) == ""
    assert zeros_stored(find_patterns(np.zeros((2, 2, 3, 3)))) == ""
