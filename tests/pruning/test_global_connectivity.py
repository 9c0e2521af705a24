import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tvm_patdnn.pruning import global_connectivity_masks


def random_layers(seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    shapes = [(4, 3, 3, 3), (8, 4, 3, 3), (5, 8, 1, 1)]
    return [rng.standard_normal(shape) * rng.random((*shape[:2], 1, 1)) for shape in shapes]


@settings(deadline=None)
@given(st.integers(0, 99), st.floats(1, 500))
def test_the_rate_holds_over_all_layers_and_none_dies(seed, rate):
    masks = global_connectivity_masks(random_layers(seed), rate)
    assert sum(int(mask.sum()) for mask in masks) == max(3, round(84 / rate))
    assert all(mask.any() for mask in masks)


@settings(deadline=None)
@given(st.integers(0, 99), st.floats(1, 20))
def test_doing_it_twice_changes_nothing(seed, rate):
    layers = random_layers(seed)
    masks = global_connectivity_masks(layers, rate)
    pruned = [w * m[:, :, None, None] for w, m in zip(layers, masks, strict=True)]
    for once, twice in zip(masks, global_connectivity_masks(pruned, rate), strict=True):
        assert np.array_equal(once, twice)


def test_the_scale_of_a_layer_does_not_matter():
    layers = random_layers(0)
    scaled = [layers[0] * 1000, layers[1] * 1e-4, layers[2]]
    masks = (global_connectivity_masks(some, 3.6) for some in (layers, scaled))
    assert all(np.array_equal(a, b) for a, b in zip(*masks, strict=True))


def test_a_layer_with_few_strong_kernels_is_pruned_harder():
    even = np.ones((4, 4, 1, 1))
    uneven = np.ones((4, 4, 1, 1)) * 0.01
    uneven[0] = 1
    masks = global_connectivity_masks([even, uneven], 2)
    assert masks[0].sum() > masks[1].sum()


def test_layers_of_zeros_and_no_layers():
    assert global_connectivity_masks([np.zeros((2, 2, 3, 3))], 2)[0].sum() == 2
    assert global_connectivity_masks([], 2) == []
