"""engine/nn/utils/rnn.py: what a packed batch gives is what its sequences give one by one."""

import pytest

import engine as torch
from engine.nn.utils import rnn

LENGTHS = [2, 5, 3]


def parts(state):
    return state if isinstance(state, tuple) else (state,)


def rows(seed=0):
    torch.manual_seed(seed)
    return [torch.randn(n, 4) for n in LENGTHS]


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_a_packed_batch_gives_what_its_sequences_give_alone(kind, bidirectional):
    torch.manual_seed(1)
    net = getattr(torch.nn, kind)(4, 3, num_layers=2, bidirectional=bidirectional)
    alone, packed = [row.requires_grad_() for row in rows()], [row.requires_grad_() for row in rows()]
    total = 0.0
    singles = []
    for row in alone:
        out, state = net(row)
        singles.append((out, parts(state)))
        total = total + (out**2).sum() + sum(part.sum() for part in parts(state))
    total.backward()
    weight_grad = net.weight_hh_l1.grad
    net.zero_grad()

    out, state = net(rnn.pack_sequence(packed, enforce_sorted=False))
    padded, lengths = rnn.pad_packed_sequence(out, batch_first=True)
    ((padded**2).sum() + sum(part.sum() for part in parts(state))).backward()
    assert lengths.tolist() == LENGTHS
    for i, (single, states) in enumerate(singles):
        assert torch.allclose(padded[i, : LENGTHS[i]], single, atol=1e-6)
        assert not padded[i, LENGTHS[i] :].any()
        for whole, part in zip(parts(state), states, strict=True):
            assert torch.allclose(whole[:, i], part, atol=1e-6)
        assert torch.allclose(packed[i].grad, alone[i].grad, atol=1e-6)
    assert torch.allclose(net.weight_hh_l1.grad, weight_grad, atol=1e-5)


def test_packed_entries_stand_step_by_step():
    padded = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 0.0]], requires_grad=True)
    packed = rnn.pack_padded_sequence(padded, [3, 2], batch_first=True)
    assert (packed.data.tolist(), packed.batch_sizes.tolist()) == ([1.0, 4.0, 2.0, 5.0, 3.0], [2, 2, 1])
    assert packed.data.grad_fn.name() == "PackPaddedSequenceBackward0"
    (packed.data * torch.arange(5.0)).sum().backward()
    assert padded.grad.tolist() == [[0.0, 2.0, 4.0], [1.0, 3.0, 0.0]]
    again, lengths = rnn.pad_packed_sequence(packed, batch_first=True, padding_value=-1.0, total_length=4)
    assert again.tolist() == [[1.0, 2.0, 3.0, -1.0], [4.0, 5.0, -1.0, -1.0]]
    assert lengths.tolist() == [3, 2]
    assert [row.tolist() for row in rnn.unpack_sequence(packed)] == [[1.0, 2.0, 3.0], [4.0, 5.0]]


def test_an_order_is_undone():
    packed = rnn.pack_sequence(rows(), enforce_sorted=False)
    assert packed.sorted_indices.tolist() == [1, 2, 0]
    assert packed.unsorted_indices.tolist() == [2, 0, 1]
    for row, again in zip(rows(), rnn.unpack_sequence(packed), strict=True):
        assert torch.equal(row, again)


def test_padding_on_either_side():
    some = [torch.tensor([1.0]), torch.tensor([2.0, 3.0])]
    assert rnn.pad_sequence(some, batch_first=True, padding_value=9.0).tolist() == [[1.0, 9.0], [2.0, 3.0]]
    assert rnn.pad_sequence(some).tolist() == [[1.0, 2.0], [0.0, 3.0]]
    assert rnn.pad_sequence(some, batch_first=True, padding_side="left").tolist() == [[0.0, 1.0], [2.0, 3.0]]


@pytest.mark.parametrize(
    ("lengths", "said"),
    [
        ([2, 1], "Expected `len(lengths)` to be equal to batch_size, but got 2 (batch_size=3)"),
        ([1, 2, 2], "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True."),
        ([2, 1, 0], "Length of all samples has to be greater than 0"),
        ([9, 2, 1], "Expected lengths of at most 2"),
    ],
)
def test_lengths_that_cannot_be(lengths, said):
    with pytest.raises(RuntimeError) as raised:
        rnn.pack_padded_sequence(torch.ones(3, 2, 1), lengths, batch_first=True)
    assert said in str(raised.value)
