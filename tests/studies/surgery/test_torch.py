"""Taking modules out of PyTorch models: gone, nothing else touched, and proved by running them."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from eolab.errors import InvalidInputError
from eolab.training_data import Split, TrainingData

# Looked for, not imported: torch and TensorFlow do not get on in one process. The environment
# that has PyTorch runs this file (`make test-more`).
pytestmark = [
    pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed"),
    pytest.mark.timeout(600),
]


def table(columns="abcde", rows=40):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, len(columns))).astype(np.float32)
    return TrainingData(X, (X[:, 0] > 0).astype(np.int64), np.arange(rows) // 4, tuple(columns))


def network():
    from torch import nn

    class Block(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.conv = nn.Conv2d(channels, channels, 3, padding=1)
            self.norm = nn.BatchNorm2d(channels)

        def forward(self, x):
            return x + nn.functional.relu(self.norm(self.conv(x)))

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Conv2d(4, 8, 3, padding=1)
            self.blocks = nn.ModuleList([Block(8), Block(8)])
            self.unused = nn.Linear(3, 3)
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
            self.head = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))

        def forward(self, x):
            x = self.stem(x)
            for block in self.blocks:
                x = block(x)
            series = x.flatten(2).mT
            series, _ = self.attention(series, series, series)
            return self.head(series.mean(1))

    return Network()


def images():
    X = np.random.default_rng(1).normal(size=(6, 4, 5, 5)).astype(np.float32)
    return Split(TrainingData(X, np.zeros(6, dtype=np.int64), np.arange(6), tuple("vwxyz")))


@pytest.fixture
def surgeon():
    import torch

    from eolab.studies.surgery.torch import TorchSurgeon

    torch.manual_seed(0)
    return TorchSurgeon(network(), images())


def test_a_torch_module_goes_and_the_rest_keeps_names_shapes_and_values(surgeon):
    import torch

    before = dict(surgeon.template.state_dict())
    surgery = surgeon.remove(["blocks.1"])
    after = surgery.model.state_dict()
    assert set(after) == {name for name in before if not name.startswith("blocks.1.")}
    assert all(torch.equal(after[name], before[name]) for name in after)
    gone = 8 * 8 * 9 + 8 + 2 * 8
    assert surgery.parameters == (surgeon.parameters, surgeon.parameters - gone)
    assert surgery.flops[0] - surgery.flops[1] == 2 * 25 * 8 * 8 * 9  # a 3 x 3 kernel at 5 x 5
    x = torch.from_numpy(images().train.X)
    template = surgeon.template.eval()
    by_hand = template.blocks[0](template.stem(x)).flatten(2).mT
    by_hand = template.head(template.attention(by_hand, by_hand, by_hand)[0].mean(1))
    torch.testing.assert_close(surgery.model.eval()(x), by_hand)
    assert set(surgeon.template.state_dict()) == set(before)  # the patient is untouched


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["stem"], "'stem' cannot be removed: .*channels"),
        (["head"], r"'head' cannot be removed: the output would change .* \(3, 3\) to \(3, 8\)"),
        (["attention"], "'attention' does not make one tensor"),
        (["blocks"], "'blocks' is never run"),
        (["unused"], "'unused' is never run"),
        (["blokcs.1"], "no module 'blokcs.1'"),
        ([], "no module to remove"),
    ],
)
def test_a_torch_module_that_cannot_go_is_an_error_that_says_why(surgeon, names, why):
    with pytest.raises(InvalidInputError, match=why):
        surgeon.remove(names)


def test_a_torch_projection_comes_only_if_asked_for(surgeon):
    surgery = surgeon.remove(["stem"], project=True)
    assert surgery.inserted == ("stem_projection",)
    assert surgery.parameters[1] == surgeon.parameters - (4 * 8 * 9 + 8) + (4 * 8 + 8)
    assert surgeon.remove(["head"], project=True).parameters[1] == surgeon.parameters - 72


def test_a_torch_module_goes_with_what_is_in_it_and_under_all_its_names():
    import torch
    from torch import nn

    from eolab.studies.surgery.torch import TorchSurgeon

    shared = nn.Linear(5, 5)
    model = nn.Sequential(shared, nn.ReLU(), shared, nn.Linear(5, 2))
    surgery = TorchSurgeon(model, table()).remove(["0"])
    assert set(surgery.model.state_dict()) == {"3.weight", "3.bias"}
    tied = nn.Sequential(nn.Linear(5, 5, bias=False), nn.Linear(5, 5, bias=False))
    tied[1].weight = tied[0].weight
    surgery = TorchSurgeon(tied, table()).remove(["0"])
    assert surgery.parameters == (25, 25)  # the weight stays: its other owner needs it
    assert set(surgery.model.state_dict()) == {"1.weight"}
    with torch.no_grad():
        nested = nn.Sequential(nn.Sequential(nn.Linear(5, 5), nn.ReLU()), nn.Linear(5, 1))
    surgery = TorchSurgeon(nested, table()).remove(["0", "0.0"])
    assert surgery.removed == ("0", "0.0")
    assert set(surgery.model.state_dict()) == {"1.weight", "1.bias"}


def test_a_torch_model_is_run_on_its_own_example_and_says_so_where_it_has_none():
    import torch
    from torch import nn

    from eolab.studies.surgery.torch import TorchSurgeon

    words = nn.Sequential(nn.Embedding(10, 4), nn.Flatten(), nn.Linear(12, 2))
    with pytest.raises(InvalidInputError, match="cannot be run on its data") as error:
        TorchSurgeon(words, table())
    assert "example_input_array" in error.value.hint
    with pytest.raises(InvalidInputError, match="the data is a dict"):
        TorchSurgeon(words, {})
    words.example_input_array = torch.zeros((2, 3), dtype=torch.long)
    assert TorchSurgeon(words, {}).remove(["2"], project=True).parameters == (66, 66)


def build(data, hidden=6):
    from collections import OrderedDict

    from torch import nn

    return nn.Sequential(
        OrderedDict(
            enter=nn.Linear(data.train.X.shape[1], hidden),
            middle=nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU()),
            head=nn.Linear(hidden, 2),
        )
    )


def train(data, reporter, *, seed, model):
    import torch

    X, y = (torch.from_numpy(a) for a in (data.train.X, data.train.y))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(20):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(X), y).backward()
        optimizer.step()
    right = model(torch.from_numpy(data.validation.X)).argmax(1).numpy() == data.validation.y
    count = sum(p.numel() for p in model.parameters())
    return {"accuracy": float(right.mean()), "parameters": float(count)}


def test_torch_modules_are_ablated_on_the_engine_and_seeds_give_the_same_table(config, run):
    from eolab.studies.ablation import ablate

    options = {
        "data": table(), "folds": 2, "repeats": 1, "metric": "accuracy", "build": build,
        "layers": "middle.1", "modules": {"middle": ["middle"]}, "groups": {"ab": ["a", "b"]},
        "workers": 2, "tracking": False,
    }  # fmt: skip
    preview = ablate(config, train, name="dry", dry_run=True, **options)
    listed = preview.to_dataframe().set_index("variant")["parameters"]
    assert listed["baseline"] - listed["without middle"] == 6 * 6 + 6
    first = ablate(config, train, name="one", **options)
    again = ablate(config, train, name="two", **{**options, "workers": 1})
    counts = {row.variant.name: row.mean for row in first.result("parameters").rows}
    assert counts["without middle"] == listed["without middle"]
    assert counts["without ab"] == listed["baseline"] - 2 * 6  # build sees the columns that stay
    for one, two in zip(first.result().rows, again.result().rows, strict=True):
        assert (one.variant.name, one.mean) == (two.variant.name, two.mean)
    with pytest.raises(InvalidInputError, match="no layer 'midle'"):
        ablate(config, train, name="bad", **{**options, "layers": ["midle"], "dry_run": True})
