"""options.json, config.json, keras_elmo.json, metadata.json that should do harm."""

import copy
import json
import shutil
import warnings

import numpy as np
import pytest
from golden import FIXTURES, Golden
from hypothesis import given, settings
from hypothesis import strategies as st
from refusal import PROPERTY, refused, takes_little

from keras_elmo import BiLM, ElmoEmbedding
from keras_elmo.weights.formats import allennlp, preset_folder, tfhub
from keras_elmo.weights.mapping import Entry, expand
from keras_elmo.weights.open_weights import open_weights
from keras_elmo.weights.variables import variable_shapes

OPTIONS = json.loads(Golden("skip").options.read_text())
WEIGHTS = Golden("skip").weights


def values(line):
    """JSON values between spaces."""
    return [json.loads(text) for text in line.split()]


NO_SIZES = values('null true false "3" [] [1] {} {"a":1} 2.5 1.0 0.0 -0.0 NaN Infinity')
NO_SIZES += [-1, -(10**300), 10**7, 2**31, 2**63, 2**64, 10**300]
NO_CLIPS = values('true false "3" [] {} 0 -1 -0.0 NaN Infinity -Infinity 1e-400')
NO_CLIPS += [10**400]
NO_BOOLEANS = values('null 0 1 0.0 1.0 "true" "" [] {} NaN')
NO_OBJECTS = values('null true 3 "" [] [[]] {}')
NO_ACTIVATIONS = [
    *values('null true 3 "" "what" [] ["relu"] {}'),
    {"class_name": "Dense", "config": {"units": 3}, "module": "keras.layers"},
    {"class_name": "function", "config": "getcwd", "module": "os"},
    {"class_name": "__lambda__", "config": {"value": "AA=="}},
]
NO_FILTERS = values('null true 3 "" "12" [] {} {"12":3} [1,3] [[1]] [[1,2,3]]')
NO_FILTERS += values('[["1","3"]] ["13"] [[1,3.0]] [[true,3]] [[1,true]] [[1,null]]')
NO_FILTERS += values("[[0,3]] [[-1,3]] [[51,3]] [[1,0]] [[1,-3]] [[1,10000000]]")
NO_FILTERS += [[[10**30, 3]], [[1, 2**63]], [[1, 10**30]]]
NO_FILTERS += [[[1, 600_000], [2, 600_000]], [[1, 1]] * 101, [[1, 1]] * 100_000]
PLACES = {
    ("lstm", "dim"): [*NO_SIZES, 0],
    ("lstm", "projection_dim"): [*NO_SIZES, 0],
    ("lstm", "n_layers"): [*NO_SIZES, 0, 101],
    ("lstm", "cell_clip"): NO_CLIPS,
    ("lstm", "proj_clip"): NO_CLIPS,
    ("lstm", "use_skip_connections"): NO_BOOLEANS,
    ("char_cnn", "filters"): NO_FILTERS,
    ("char_cnn", "n_highway"): [*NO_SIZES, 101],
    ("char_cnn", "activation"): [*NO_ACTIVATIONS, "gelu"],
    ("char_cnn", "embedding"): [*NO_SIZES, 0, {"dim": None}, {"dim": -1}, {"dim": {}}],
    ("char_cnn", "max_characters_per_token"): [*NO_SIZES, 0, 3],
    ("char_cnn", "n_characters"): [*NO_SIZES, 0, 260, 263],
    ("", "lstm"): NO_OBJECTS,
    ("", "char_cnn"): NO_OBJECTS,
    ("", "bidirectional"): values('null false 0 1 "true" [] {}'),
    ("", "keras_elmo"): values('null true 3 "" [] {"bilm":3} {"bilm":{"a":1}}'),
}
CONFIG = {
    "units": [*NO_SIZES, 0],
    "projection_dim": [*NO_SIZES, 0],
    "num_layers": [*NO_SIZES, 0, 101],
    "embedding_dim": [*NO_SIZES, 0],
    "num_highway_layers": [*NO_SIZES, 101],
    "max_characters": [*NO_SIZES, 0, 10_001],
    "cell_clip": NO_CLIPS,
    "projection_clip": NO_CLIPS,
    "use_skip_connections": NO_BOOLEANS,
    "sentence_boundaries": NO_BOOLEANS,
    "filters": NO_FILTERS,
    "activation": NO_ACTIVATIONS,
}
# Each takes the place of three zeros, of a scaling of 1, or of the whole.
NO_MIX_WEIGHTS = values('null 3 "abc" ["0","0","0"] [true,false,true] {"a":1} [0,0]')
NO_MIX_WEIGHTS += values("[[0],[0],[0]] [0,[0],0] [0,null,0] [0,NaN,0] [0,-Infinity,0]")
NO_MIX_WEIGHTS += [[0, 1e300, 0], [0, 10**400, 0], [0] * 100_000]
NO_SCALINGS = [*values('null [1] {} "1" Infinity'), 10**400]
NO_MIXES = values('true 3 "" [] {} {"weights":[0,0,0]}')
NO_MIXES += [{"weights": [0, 0, 0], "scaling": 1, "more": 1}]
NO_MIXES += [{"weights": value, "scaling": 1} for value in NO_MIX_WEIGHTS]
NO_MIXES += [{"weights": [0, 0, 0], "scaling": value} for value in NO_SCALINGS]
NO_EMBEDDINGS = values('null 3 "space" [] {"tokenizer":null} {"tokenizer":[]}')
NO_EMBEDDINGS += values('{"tokenizer":"what"} {"do_layer_norm":1} {"do_layer_norm":{}}')
NO_EMBEDDINGS += values('{"do_layer_norm":"rows"} {"sentence_boundaries":1} {"bilm":3}')
NO_EMBEDDINGS += values('{"sentence_boundaries":"yes"} {"name":"a/b"}')
NO_EMBEDDINGS += [
    {"dtype": {"class_name": "Dense", "module": "keras.layers", "config": {}}},
    {"mix_regularizer": {"class_name": "Dense", "module": "keras.layers"}},
]
TEXTS = [b"", b"   ", b'{"lstm": {"dim": 3', b"[1, 2]", b"3", b"null", b'"text"']
TEXTS += [b"{} {}", b"\x80\x04\x95\x05", b'{"\xff": 1}', b'{"a\0": \0}']
TEXTS += [
    json.dumps(OPTIONS).encode(code) for code in ("utf-8-sig", "utf-16", "utf-32")
]
TEXTS += [b"[" * 100_000, b'{"a":' * 100_000]
TEXTS += [b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}"]
TEXTS += [b'{"lstm": ' + b"9" * 10_000 + b"}"]
# A key that is there twice has two values.
TEXTS += [b'{"lstm": {"dim": 48, "dim": 24}, "char_cnn": {}}']
TEXTS += [b'{"lstm": {}, "lstm": {}, "char_cnn": {}}']


@pytest.fixture
def options(tmp_path):
    return tmp_path / "options.json"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    bilm = BiLM.from_hdf5(OPTIONS, WEIGHTS)
    ElmoEmbedding(bilm).save_to_preset(folder / "preset")
    bilm.to_tfhub(folder / "hub")
    return folder


@pytest.fixture
def preset(saved, tmp_path):
    """A good preset, to do harm to."""
    return shutil.copytree(saved / "preset", tmp_path / "preset")


@pytest.fixture
def hub(saved, tmp_path):
    """A good TF-Hub module with settings of ours, to do harm to."""
    return shutil.copytree(saved / "hub", tmp_path / "hub")


def changed(content, section, key, value):
    content = copy.deepcopy(content)
    (content[section] if section else content)[key] = value
    return content


def change_config(preset, part, value):
    """Replaces a part, or those of the biLM's arguments that a function returns."""
    path = preset / "config.json"
    content = json.loads(path.read_text())
    value = value(content["bilm"]) if callable(value) else value
    path.write_text(json.dumps({**content, part: value}))
    return path


def cases(table):
    return [
        pytest.param(key, value, id=f"{key}={str(value)[:20]}")
        for key, values in table.items()
        for value in values
    ]


@pytest.mark.filterwarnings("ignore:.*mean nothing")
@pytest.mark.parametrize(("place", "value"), cases(PLACES))
def test_wrong_values_of_options(options, place, value):
    options.write_text(json.dumps(changed(OPTIONS, *place, value)))
    with takes_little(), refused(options):
        BiLM.from_hdf5(options, WEIGHTS)


def test_wrong_values_of_options_for_tfhub_and_bilm_tf(options, tmp_path):
    """They are read by the same functions."""
    options.write_text(json.dumps(changed(OPTIONS, "lstm", "cell_clip", "3")))
    with refused(options, "`cell_clip` should be", "fetch the file again"):
        BiLM.from_tfhub(FIXTURES / "skip" / "hub", options=options)
    run = shutil.copytree(FIXTURES / "bilm_tf", tmp_path / "run")
    content = json.loads((run / "options.json").read_text())
    content["char_cnn"]["activation"] = {"class_name": "Dense"}
    (run / "options.json").write_text(json.dumps(content))
    with refused(run / "options.json", "'relu', 'tanh'", "fetch the file again"):
        BiLM.from_preset(run)


@pytest.mark.parametrize(("key", "value"), cases(CONFIG))
def test_wrong_arguments_in_a_preset(preset, key, value):
    path = change_config(preset, "bilm", lambda bilm: {**bilm, key: value})
    with takes_little(), refused(path, f"`{key}`", "fetch the file again"):
        BiLM.from_preset(preset)


@pytest.mark.parametrize(
    "key", ["dtype", "name", "trainable", "return_state", "quantum_gates", ""]
)
def test_unknown_arguments_in_a_preset(preset, key):
    """They may decide what a newer version computes, or have Keras make any object."""
    value = {"class_name": "DTypePolicy", "config": {"name": "float16"}}
    path = change_config(preset, "bilm", lambda bilm: {**bilm, key: value})
    with refused(path, f"'bilm' holds [{key!r}]", "fetch the preset again"):
        BiLM.from_preset(preset)


@pytest.mark.parametrize("key", ["filters", "units", "projection_dim"])
def test_missing_arguments_in_a_preset(preset, key):
    path = change_config(
        preset, "bilm", lambda bilm: {k: bilm[k] for k in bilm if k != key}
    )
    with refused(path, f"missing a required argument: '{key}'"):
        BiLM.from_preset(preset)


@pytest.mark.parametrize(
    ("part", "value"), cases({"embedding": NO_EMBEDDINGS, "mix": NO_MIXES})
)
def test_wrong_parts_of_a_preset(preset, part, value):
    path = change_config(preset, part, value)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        with refused(path, "mix" if part == "mix" else "", "again"):
            ElmoEmbedding.from_preset(preset)


@pytest.mark.parametrize("content", TEXTS, ids=lambda text: str(text[:40]))
def test_texts_that_are_no_json(options, preset, hub, content):
    options.write_bytes(content)
    with refused(options, "JSON", "fetch it again"):
        allennlp.open_pair(options, WEIGHTS)
    for name in ("config.json", "metadata.json"):
        shutil.copytree(preset, preset.parent / name)
        path = preset.parent / name / name
        path.write_bytes(content)
        with refused(path, "should be JSON", "fetch the preset again"):
            preset_folder.open_folder(path.parent)
    (hub / "keras_elmo.json").write_bytes(content)
    with refused(hub / "keras_elmo.json", "should be JSON", "Correct it"):
        tfhub.open_folder(hub)


@pytest.mark.parametrize("depth", [100, 500, 800, 900, 950, 980, 2000])
@pytest.mark.parametrize("place", [("lstm", "dim"), ("char_cnn", "activation")])
def test_depths_that_can_just_be_parsed(options, depth, place):
    """What can be parsed can perhaps not be shown."""
    text = json.dumps(changed(OPTIONS, *place, "here"))
    options.write_text(text.replace('"here"', "[" * depth + "]" * depth))
    with refused(options):
        BiLM.from_hdf5(options, WEIGHTS)


def test_unknown_keys_are_named(options):
    content = changed(OPTIONS, "", "quantum", True)
    content = changed(content, "lstm", "gates", 5)
    content = changed(content, "char_cnn", "", {})
    options.write_text(json.dumps(content))
    names = r"\['quantum', 'lstm.gates', 'char_cnn.'\]"
    with pytest.warns(UserWarning, match=names):
        allennlp.open_pair(options, WEIGHTS).check(BiLM)


def test_unknown_parts_are_named(preset, hub):
    change_config(preset, "quantum", {})
    (hub / "keras_elmo.json").write_text('{"quantum": {}}')
    content = changed(OPTIONS, "", "keras_elmo", {"quantum": {}})
    for open_source in (
        lambda: open_weights(preset),
        lambda: open_weights(hub),
        lambda: allennlp.open_pair(content, WEIGHTS),
    ):
        with pytest.warns(UserWarning, match=r"\['quantum'\].*ignored"):
            open_source().check(BiLM)


def test_good_files_do_not_warn(saved, options):
    options.write_text(json.dumps(OPTIONS))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("preset", "hub"):
            open_weights(saved / name).check(BiLM)
        allennlp.open_pair(options, WEIGHTS).check(BiLM)


def test_keys_that_are_no_text():
    """Only dictionaries have such keys."""
    content = {3: 4, "char_cnn": {}, None: 1}
    with refused("`options` should hold an object 'lstm'", "[3, 'char_cnn', None]"):
        allennlp.open_pair(content, WEIGHTS)
    content = {**changed(OPTIONS, "lstm", None, 1), 3: 4}
    with pytest.warns(UserWarning, match=r"\['3', 'lstm.None'\]"):
        allennlp.open_pair(content, WEIGHTS)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"mix": 3}, []),
        ({"mix": {}}, []),
        ({"bilm": {"units": "3"}}, []),
        ({"bilm": {"bilm": 1}}, []),
        ({"bilm": {"units": 1000}}, ["RNN_0", "should be (24, 4000), is (24, 192)"]),
    ],
    ids=str,
)
def test_settings_beside_a_module(hub, content, said):
    (hub / "keras_elmo.json").write_text(json.dumps(content))
    with refused(hub, *said):
        open_weights(hub).check(BiLM)


@pytest.mark.parametrize("value", [None, 3, "text", [], {"a": [1, {"b": None}]}])
def test_metadata_may_hold_anything(preset, value):
    content = {"licence": value, "": value, "loss": float("nan")}
    (preset / "metadata.json").write_text(json.dumps(content))
    assert open_weights(preset).metadata["licence"] == value


def test_what_is_passed_is_named_too(preset):
    with refused(preset / "config.json", "['dtype'] passed besides"):
        BiLM.from_preset(preset, dtype="float3")
    with refused("`output_key` should be one of", "output_key='elmos'"):
        ElmoEmbedding.from_preset(preset, output_key="elmos")


def test_own_activation_is_to_be_passed(preset):
    activation = {"activation": {"config": "mine>own"}}
    change_config(preset, "bilm", lambda bilm: bilm | activation)
    bilm = BiLM.from_preset(preset, activation=np.tanh)
    assert bilm.activation is np.tanh


def test_largest_sizes_are_refused_at_once():
    """What is possible takes neither time nor memory until it is known to be there."""
    sizes = {"units": 10**6, "projection_dim": 10**6, "embedding_dim": 10**6}
    sizes |= {"num_layers": 100, "num_highway_layers": 100, "max_characters": 10**4}
    sizes["filters"] = [[10**4, 10**4]] * 100
    table = [Entry("{direction}/{layer}", ("lstm_{direction}_{layer}/kernel",))]
    content = changed(OPTIONS, "lstm", "n_layers", 100)
    content["char_cnn"].update(n_highway=100, filters=[[1, 10**4]] * 100)
    with takes_little():
        assert len(expand(table, variable_shapes(sizes))) == 200
        with refused("missing: RNN_1/RNN/MultiRNNCell/Cell99/LSTMCell/W_0"):
            allennlp.open_pair(content, WEIGHTS).check(BiLM)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda values: (
        st.lists(values, max_size=3)
        | st.dictionaries(st.text(max_size=5), values, max_size=3)
    ),
    max_leaves=8,
)
KEYS = st.sampled_from([place for place in PLACES if place[0]])


@pytest.mark.filterwarnings("ignore:.*mean nothing")
@PROPERTY
@given(st.dictionaries(KEYS, ANYTHING, min_size=1, max_size=3))
def test_any_values_of_options(tmp_path, values):
    path, content = tmp_path / "options.json", OPTIONS
    for (section, key), value in values.items():
        content = changed(content, section, key, value)
    path.write_text(json.dumps(content))
    try:
        BiLM.from_hdf5(path, WEIGHTS)
    except ValueError as error:
        assert str(path) in str(error) or str(WEIGHTS) in str(error)


@pytest.mark.filterwarnings("ignore:.*mean nothing", "ignore:.*does not know")
@PROPERTY
@given(place=st.integers(0, 10**4), change=st.binary(max_size=4))
def test_changed_text(tmp_path, place, change):
    content = json.dumps(OPTIONS).encode()
    place %= len(content)
    path = tmp_path / "options.json"
    path.write_bytes(content[:place] + change + content[place + len(change) :])
    try:
        allennlp.open_pair(path, WEIGHTS).check(BiLM)
    except ValueError as error:
        assert str(path) in str(error) or str(WEIGHTS) in str(error)


@pytest.mark.filterwarnings("ignore:.*mean nothing")
@settings(PROPERTY, max_examples=50)
@given(part=st.sampled_from(["bilm", "embedding", "mix", "metadata"]), value=ANYTHING)
def test_any_part_of_a_preset(saved, tmp_path, part, value):
    folder = tmp_path / "preset"
    shutil.copytree(saved / "preset", folder, dirs_exist_ok=True)
    path = change_config(folder, part, value)
    try:
        ElmoEmbedding.from_preset(folder)
    except ValueError as error:
        assert str(path) in str(error) or str(folder) in str(error)
