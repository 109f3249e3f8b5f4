"""Taking layers out of Keras models: gone, nothing else touched, and proved."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from eolab.errors import InvalidInputError
from eolab.studies.surgery.keras import Surgeon

if TYPE_CHECKING:
    import keras

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
pytestmark = pytest.mark.keras


@pytest.fixture(scope="module", autouse=True)
def _keras_when_it_is_needed() -> None:
    """Not when the tests are collected: TensorFlow costs every process of a run five seconds."""
    global keras
    keras = pytest.importorskip("keras")


def chain():
    return keras.Sequential(
        [
            keras.Input((8, 8, 4)),
            keras.layers.Conv2D(6, 3, padding="same", name="first"),
            keras.layers.Conv2D(6, 3, padding="same", name="second"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.ReLU(name="relu"),
            keras.layers.GlobalAveragePooling2D(name="pool"),
            keras.layers.Dropout(0.1, name="drop"),
            keras.layers.Dense(3, name="head"),
        ]
    )


def residual():
    inputs = keras.Input((8,), name="x")
    first = keras.layers.Dense(8, name="first")(inputs)
    second = keras.layers.Dense(8, name="second")(first)
    added = keras.layers.Add(name="add")([first, second])
    wide = keras.layers.Dense(4, name="left")(added)
    other = keras.layers.Dense(4, name="right")(added)
    both = keras.layers.Concatenate(name="concat")([wide, other])
    return keras.Model(inputs, keras.layers.Dense(2, name="head")(both))


def remove(model, *names, **options):
    from eolab.studies.surgery.keras import remove_layers

    return remove_layers(model, names, **options)


def shapes(model):
    return {layer.name: [tuple(w.shape) for w in layer.weights] for layer in model.layers}


@pytest.mark.parametrize("name", ["second", "norm", "relu", "drop"])
def test_a_layer_that_keeps_shapes_goes_and_the_rest_stays(name):
    model = chain()
    before = shapes(model)
    surgery = remove(model, name)
    after = shapes(surgery.model)
    assert name not in after
    for other in before:
        if other != name:
            assert after[other] == before[other]
    lost = sum(int(np.prod(shape)) for shape in before[name])
    assert surgery.parameters == (model.count_params(), model.count_params() - lost)
    assert np.isfinite(surgery.model.predict(np.zeros((2, 8, 8, 4)), verbose=0)).all()
    assert shapes(model) == before  # the patient itself is untouched


def test_the_input_of_a_removed_layer_reaches_its_consumers():
    model = chain()
    new = remove(model, "second", "norm", "relu").model
    for layer in new.layers:
        if layer.weights:
            layer.set_weights(model.get_layer(layer.name).get_weights())
    x = np.random.default_rng(0).normal(size=(3, 8, 8, 4)).astype(np.float32)
    by_hand = model.get_layer("head")(model.get_layer("pool")(model.get_layer("first")(x)))
    np.testing.assert_allclose(new.predict(x, verbose=0), by_hand, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("first", "incompatible"),
        ("pool", "output would change|incompatible"),
        ("head", "output would change its shape from \\(None, 3\\)"),
    ],
)
def test_a_layer_that_cannot_go_is_an_error_that_says_why(name, why):
    with pytest.raises(
        InvalidInputError, match=f"layer '{name}' cannot be removed: .*({why})"
    ) as error:
        remove(chain(), name)
    assert "project=True" in error.value.hint


def test_a_projection_comes_only_if_asked_for():
    surgery = remove(chain(), "first", project=True)
    assert surgery.inserted == ("first_projection",)
    assert shapes(surgery.model)["second"] == shapes(chain())["second"]
    assert surgery.parameters[1] == surgery.parameters[0] - (3 * 3 * 4 * 6 + 6) + (4 * 6 + 6)


def test_a_merge_gives_up_its_shortcut_rather_than_its_layers():
    surgery = remove(residual(), "add")
    assert "second" in shapes(surgery.model)
    with pytest.raises(InvalidInputError, match=r"no longer lead to the output|incompatible"):
        remove(residual(), "concat")


def test_branches_of_different_sizes_are_found_out_although_their_merge_is_built():
    """Concatenate looks at the sizes of its inputs when it is built, and never again."""
    inputs = keras.Input((9, 9, 4))
    left = keras.layers.Conv2D(4, 3, strides=2, padding="valid", name="left")(inputs)
    right = keras.layers.MaxPooling2D(3, strides=2, name="right")(inputs)
    both = keras.layers.Concatenate(name="both")([left, right])
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D(name="pool")(both))
    for name in ("left", "right"):
        with pytest.raises(InvalidInputError, match="matching shapes"):
            remove(model, name)


def test_a_block_goes_as_a_whole_and_what_is_left_of_it_is_nothing():
    surgery = remove(residual(), "second", "add")
    assert set(shapes(surgery.model)) == {"x", "first", "left", "right", "concat", "head"}


def inception(channels=(8, 8, 8)):
    """Three branches of an Inception block between a stem of 16 channels and a head."""
    inputs = keras.Input((8, 8, 4), name="x")
    stem = keras.layers.Conv2D(16, 3, padding="same", name="stem")(inputs)
    one = keras.layers.Conv2D(channels[0], 1, name="mixed_1x1")(stem)
    three = keras.layers.Conv2D(4, 1, name="mixed_3x3_reduce")(stem)
    three = keras.layers.Conv2D(channels[1], 3, padding="same", name="mixed_3x3")(three)
    pool = keras.layers.MaxPooling2D(3, 1, padding="same", name="mixed_pool")(stem)
    pool = keras.layers.Conv2D(channels[2], 1, name="mixed_pool_1x1")(pool)
    both = keras.layers.Concatenate(name="mixed")([one, three, pool])
    flat = keras.layers.GlobalAveragePooling2D(name="flat")(both)
    return keras.Model(inputs, keras.layers.Dense(3, name="head")(flat))


def test_a_module_with_branches_goes_as_one_and_leaves_one_projection():
    model = inception()
    block = [name for name in shapes(model) if name.startswith("mixed")]
    with pytest.raises(InvalidInputError, match="and 3 more together cannot be removed"):
        remove(model, *block)
    surgery = remove(model, *block, project=True)
    assert surgery.inserted == ("mixed_projection",)
    assert set(shapes(surgery.model)) == {"x", "stem", "mixed_projection", "flat", "head"}
    lost = sum(int(np.prod(s)) for name in block for s in shapes(model)[name])
    assert surgery.parameters[1] == surgery.parameters[0] - lost + 16 * 24 + 24
    same = inception((4, 8, 4))  # 16 channels in, 16 out: nothing to project
    assert remove(same, *block, project=True).inserted == ()
    branch = remove(model, "mixed_3x3_reduce", "mixed_3x3", project=True)
    assert branch.inserted == ("mixed_3x3_projection",)


def test_plain_operations_between_layers_stay():
    """`x + 3` and `x * y` stand in the graph as operations: MobileNetV3 is full of them."""
    inputs = keras.Input((8, 8, 4), name="x")
    x = keras.layers.Conv2D(4, 3, padding="same", name="first")(inputs)
    gate = keras.layers.ReLU(6.0, name="gate")(x + 3.0) * (1.0 / 6.0)
    x = keras.layers.Conv2D(4, 1, name="second")(x * gate)
    model = keras.Model(inputs, keras.layers.Flatten(name="flat")(x))
    left = {name: remove(model, name) for name in ("first", "gate", "second")}
    for name, surgery in left.items():
        assert surgery.inserted == ()
        assert set(shapes(surgery.model)) == set(shapes(model)) - {name}
    # Without the gate its two operations are still there, in their order.
    cut = left["gate"].model
    picture = np.random.default_rng(0).normal(size=(2, 8, 8, 4)).astype("float32")
    first = np.asarray(cut.get_layer("first")(picture))
    expected = cut.get_layer("second")(first * ((first + 3.0) * (1.0 / 6.0)))
    found = cut(picture, training=False)
    np.testing.assert_allclose(found, np.reshape(expected, (2, -1)), rtol=1e-4, atol=1e-5)


def test_a_shared_layer_goes_everywhere():
    inputs = keras.Input((4,))
    shared = keras.layers.Dense(4, name="shared")
    model = keras.Model(inputs, keras.layers.Dense(1, name="head")(shared(shared(inputs))))
    assert "shared" not in shapes(remove(model, "shared").model)


def test_misspelt_layers_inputs_and_unknown_graphs_are_told():
    with pytest.raises(InvalidInputError, match="no layer 'secnd'") as error:
        remove(chain(), "secnd")
    assert "'second'" in error.value.hint
    with pytest.raises(InvalidInputError, match="no layer 'x'"):
        remove(residual(), "x")

    class Own(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(InvalidInputError, match="no sequential or functional"):
        remove(Own(), "dense")
    with pytest.raises(InvalidInputError, match="not built"):
        remove(keras.Sequential([keras.layers.Dense(2)]), "dense")


def test_flops_are_those_of_the_textbook():
    from eolab.studies.surgery.keras import flops

    inputs = keras.Input((10, 10, 3))
    x = keras.layers.Conv2D(8, 3)(inputs)  # 8 x 8 positions, kernel 3 x 3 x 3 x 8
    x = keras.layers.DepthwiseConv2D(3, padding="same")(x)  # 3 x 3 x 8 a position
    x = keras.layers.Flatten()(x)
    model = keras.Model(inputs, keras.layers.Dense(5)(x))
    expected = 2 * (64 * 27 * 8 + 64 * 9 * 8 + 512 * 5)
    assert flops(model) == expected
    series = keras.Sequential([keras.Input((12, 4)), keras.layers.LSTM(6)])
    assert flops(series) == 2 * 12 * (4 * 24 + 6 * 24)


def test_flops_are_those_of_tensorflows_profiler():
    """A U-Net's way up, a backbone as a layer, series read both ways: what is used on EO data."""
    from eolab.studies.surgery.keras import flops

    layers = keras.layers
    down = keras.Input((16, 16, 3))
    up = layers.Conv2DTranspose(6, 3, strides=2, padding="same", use_bias=False)(down)
    backbone = keras.Sequential(
        [keras.Input((16, 16, 3)), layers.Conv2D(4, 3, strides=2, use_bias=False)]
    )
    nested = layers.Dense(5, use_bias=False)(layers.Flatten()(backbone(down)))
    separable = layers.SeparableConv2D(7, 3, use_bias=False)(down)
    for output in (up, nested, separable):
        model = keras.Model(down, output)
        assert flops(model) == profiled(model)
    series = keras.Input((12, 4))
    gates = 4 * 6 * (4 + 6)
    both = keras.Model(series, layers.Bidirectional(layers.LSTM(6))(series))
    assert flops(both) == 2 * 2 * 12 * gates
    each = keras.Model(series, layers.TimeDistributed(layers.Dense(3))(series))
    assert flops(each) == 2 * 12 * 4 * 3
    pictures = keras.Input((5, 8, 8, 2))
    cells = keras.Model(pictures, layers.ConvLSTM2D(3, 3, padding="same")(pictures))
    assert flops(cells) == 2 * 5 * 64 * (9 * 2 * 12 + 9 * 3 * 12)


def profiled(model):
    """What TensorFlow counts for one sample."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2_as_graph,
    )

    signature = tf.TensorSpec([1, *model.inputs[0].shape[1:]], tf.float32)
    concrete = tf.function(model).get_concrete_function(signature)
    _, graph = convert_variables_to_constants_v2_as_graph(concrete)
    with tf.Graph().as_default() as default:
        tf.graph_util.import_graph_def(graph, name="")
        options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
        options["output"] = "none"
        found = tf.compat.v1.profiler.profile(default, cmd="op", options=options)
    return found.total_float_ops


def build(data, hidden=8):
    return keras.Sequential(
        [
            keras.Input((data.train.X.shape[1],)),
            keras.layers.Dense(hidden, activation="relu", name="block_one"),
            keras.layers.Dense(hidden, activation="relu", name="block_two"),
            keras.layers.Dense(hidden, activation="relu", name="block_three"),
            keras.layers.Dense(2, activation="softmax", name="head"),
        ]
    )


def look(data, *, seed, model):
    """What a run is given; training it would only take time."""
    return {"accuracy": float(seed % 7), "parameters": float(model.count_params())}


def test_layers_and_modules_are_ablated_on_the_engine(config, run):
    from eolab.studies.ablation import ablate
    from eolab.training_data import Split, TrainingData

    part = TrainingData(
        np.zeros((6, 5), dtype=np.float32),
        np.zeros(6, dtype=np.int64),
        np.arange(6),
        tuple("abcde"),
    )
    data = Split(part, part)
    options = {
        "data": data, "repeats": 1, "name": "layers", "metric": "accuracy",
        "build": build, "layers": "block_two", "modules": {"deep": "block_two block_three"},
        "groups": {"ab": ["a", "b"]}, "workers": 1, "tracking": False,
    }  # fmt: skip
    preview = ablate(config, look, dry_run=True, **options)
    listed = preview.to_dataframe().set_index("variant")["parameters"]
    assert listed["baseline"] - listed["without block_two"] == 8 * 8 + 8
    assert listed["baseline"] - listed["without deep"] == 2 * (8 * 8 + 8)
    result = ablate(config, look, **options).result("parameters")
    seen = {row.variant.name: row.mean for row in result.rows}
    assert seen == {
        "baseline": 210, "without block_two": 138, "without deep": 66, "without ab": 194,
    }  # fmt: skip
    with pytest.raises(InvalidInputError, match=r"^layer 'block_one' cannot be removed"):
        ablate(
            config, look, **{**options, "layers": "block_one", "dry_run": True, "shapes": "keep"}
        )
    with pytest.raises(InvalidInputError, match="no layer 'blok_two'"):
        ablate(config, look, **{**options, "layers": ["blok_two"], "dry_run": True})


def wide(data):
    return build(data, hidden=16)


def test_other_models_are_variants_and_a_dry_run_builds_every_model(config, run):
    from eolab.studies.ablation import ablate
    from eolab.training_data import Split, TrainingData

    part = TrainingData(
        np.zeros((6, 5), dtype=np.float32),
        np.zeros(6, dtype=np.int64),
        np.arange(6),
        tuple("abcde"),
    )
    options = {
        "data": Split(part, part), "repeats": 1, "name": "models", "metric": "accuracy",
        "build": build, "models": {"wider": wide}, "changes": {"small": {"hidden": 2}},
        "groups": {"ab": ["a", "b"]}, "workers": 1, "tracking": False,
    }  # fmt: skip
    listed = ablate(config, look, dry_run=True, **options).to_dataframe().set_index("variant")
    counts = dict(listed["parameters"])
    assert counts == {"baseline": 210, "without ab": 194, "wider": 674, "small": 30}
    assert (listed["flops"] > 0).all()
    result = ablate(config, look, **options).result("parameters")
    assert {row.variant.name: row.mean for row in result.rows} == counts

    def fixed(data):
        if data.train.X.shape[1] != 5:
            raise ValueError("five bands, please")
        return build(data)

    with pytest.raises(
        InvalidInputError, match=r"without ab: the model cannot be built.*five bands"
    ):
        ablate(
            config,
            look,
            **{**options, "build": fixed, "models": None, "changes": None, "dry_run": True},
        )
    with pytest.raises(InvalidInputError, match="model 'wider' is a int"):
        ablate(config, look, **{**options, "models": {"wider": 3}, "dry_run": True})


def pyramid():
    """Two blocks of convolution and pooling without padding, and a head that counts its inputs."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((20, 20, 3)),
            layers.Conv2D(4, 3, activation="relu", name="conv_1"),
            layers.MaxPooling2D(2, name="pool_1"),
            layers.Conv2D(6, 3, activation="relu", name="conv_2"),
            layers.MaxPooling2D(2, name="pool_2"),
            layers.Flatten(name="flat"),
            layers.Dense(5, name="dense"),
            layers.Dense(1, activation="sigmoid", name="head"),
        ]
    )


@pytest.mark.parametrize("name", ["conv_1", "pool_1", "conv_2", "pool_2", "dense"])
def test_a_network_is_rebuilt_without_a_layer_and_shapes_follow(name):
    model = pyramid()
    by_hand = keras.Sequential([keras.Input((20, 20, 3))])
    for layer in model.layers:
        if layer.name != name:
            by_hand.add(type(layer).from_config(layer.get_config()))
    surgery = Surgeon(model).remove([name], rebuild=True)
    rebuilt = {n: s for n, s in shapes(surgery.model).items() if n in shapes(by_hand)}
    assert rebuilt == shapes(by_hand)
    assert surgery.parameters == (model.count_params(), by_hand.count_params())
    changed = {n for n, s in shapes(by_hand).items() if s != shapes(model)[n]}
    assert set(surgery.rebuilt) == changed != set()
    assert surgery.model.predict(np.zeros((2, 20, 20, 3)), verbose=0).shape == (2, 1)
    assert shapes(model) == shapes(pyramid())  # the patient itself is untouched


def test_what_can_go_without_other_shapes_is_not_rebuilt():
    assert Surgeon(chain()).remove(["norm"], rebuild=True).rebuilt == ()


def test_a_rebuilt_network_keeps_its_output_and_stretches_no_branch():
    with pytest.raises(InvalidInputError, match="output would change its shape"):
        Surgeon(pyramid()).remove(["head"], rebuild=True)
    inputs = keras.Input((8, 8, 1))
    wide = keras.layers.Conv2D(4, 3, padding="same", name="wide")(inputs)
    other = keras.layers.Conv2D(4, 1, name="other")(inputs)
    both = keras.layers.Add(name="both")([wide, other])
    extra = keras.layers.Conv2D(3, 1, name="extra")(wide)
    joined = keras.layers.Concatenate(name="joined")([both, extra])
    model = keras.Model(inputs, keras.layers.Conv2D(2, 1, name="end")(joined))
    with pytest.raises(InvalidInputError, match="inputs of 'both' would differ in shape"):
        Surgeon(model).remove(["wide"], rebuild=True)
    assert Surgeon(model).remove(["wide", "other"], rebuild=True).rebuilt == ("extra", "end")
