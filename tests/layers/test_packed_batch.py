import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from keras_elmo.layers.on_tensorflow.packed_batch import PackedBatch

MASKS = st_numpy.arrays(bool, st.tuples(st.integers(1, 5), st.integers(1, 6)))


def masks(test):
    test = given(MASKS)(test)
    for mask in ([[0, 0], [0, 0]], [[1, 0, 1], [0, 0, 0], [0, 1, 1]]):
        test = example(np.array(mask, bool))(test)
    return settings(deadline=None, derandomize=True, max_examples=25)(test)


def packed_positions(mask, go_backwards):
    """The (row, time) of every packed token, and the size of every step."""
    rows = []
    for row in range(len(mask)):
        tokens = [(row, time) for time in range(mask.shape[1]) if mask[row, time]]
        rows.append(tokens[::-1] if go_backwards else tokens)
    order = sorted(range(len(rows)), key=lambda row: (-len(rows[row]), row))
    positions, sizes = [], []
    for step in range(max(map(len, rows))):
        tokens = [rows[row][step] for row in order if len(rows[row]) > step]
        positions += tokens
        sizes.append(len(tokens))
    return positions, sizes, order


@masks
def test_layout_is_step_by_step(mask):
    batch = PackedBatch.of_mask(mask)
    for go_backwards in (False, True):
        positions, sizes, order = packed_positions(mask, go_backwards)
        assert batch.sizes.numpy().tolist() == sizes
        assert batch.order.numpy().tolist() == order
        assert [order.index(row) for row in range(len(mask))] == list(batch.rank)
        sources = [row * mask.shape[1] + time for row, time in positions]
        assert batch.sources[go_backwards].numpy().tolist() == sources
        places = np.full(mask.shape, len(positions))
        for place, position in enumerate(positions):
            places[position] = place
        np.testing.assert_array_equal(batch.places[go_backwards], places)


@masks
def test_round_trip_puts_zeros_where_there_is_no_token(mask):
    batch = PackedBatch.of_mask(mask)
    values = np.arange(1, mask.size * 2 + 1, dtype="float32").reshape(*mask.shape, 2)
    for go_backwards in (False, True):
        packed = batch.pack(values, go_backwards)
        assert packed.shape == (mask.sum(), 2)
        unpacked = batch.unpack(packed, go_backwards)
        np.testing.assert_array_equal(unpacked, values * mask[..., None])
        np.testing.assert_array_equal(batch.pack(unpacked, go_backwards), packed)
