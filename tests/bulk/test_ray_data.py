"""Shards on a Ray cluster: two nodes, each a raylet of its own on this machine."""

import hashlib

import pytest
from same_bytes import contents

from keras_elmo import bulk
from keras_elmo.cli.main import main
from keras_elmo.files.paths import as_path

ray = pytest.importorskip("ray", reason="Ray is not installed with these versions")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster(s3):
    from ray.cluster_utils import Cluster

    memory = {"object_store_memory": 100_000_000}
    head = {"num_cpus": 1, "include_dashboard": False, **memory}
    with pytest.MonkeyPatch.context() as environment:
        # Workers have the environment that their node was started in.
        for key, value in s3.items():
            environment.setenv(key, value)
        cluster = Cluster(initialize_head=True, head_node_args=head)
    ray.init(address=cluster.address, log_to_driver=False)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture
def second_node(cluster):
    node = cluster.add_node(num_cpus=1, object_store_memory=100_000_000)
    yield node
    if node in cluster.list_all_nodes():
        cluster.remove_node(node)


def hashes(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).digest()
        for path in folder.rglob("*")
        if path.is_file()
    }


class Killing:
    """An engine during which a node is lost, with the worker on it."""

    def __init__(self, engine, kill):
        self.engine, self.kill = engine, kill
        self.check = engine.check
        self.reports = 0

    def __call__(self, run, work, embedded):
        def embedded_and_killed(tokens):
            if self.reports == 0:
                self.kill()
                self.done = len(list(run.output.done_folder.iterdir()))
            self.reports += 1
            embedded(tokens)

        self.engine(run, work, embedded_and_killed)


def test_a_lost_node_changes_nothing(cluster, second_node, embed, text, tmp_path):
    text.write_text("the cat is on the mat and will not come down\n" * 3000)
    shards = {"lines_per_shard": 100}
    embed(tmp_path / "here", **shards)

    def lose_node():
        # Each node has one core, so there is a worker on either.
        assert not ray.available_resources().get("CPU")
        cluster.remove_node(second_node, allow_graceful=False)

    engine = Killing(bulk.RayData(2), lose_node)
    assert embed(tmp_path / "there", engine=engine, **shards)
    # There was work left when the node was lost.
    assert engine.done < 30 == engine.reports
    assert second_node not in cluster.list_all_nodes()
    assert bulk.check(tmp_path / "there") == []
    assert hashes(tmp_path / "there") == hashes(tmp_path / "here")


def test_addresses(cluster, bucket, embed, text, tmp_path):
    as_path(f"{bucket}/text.txt").write_bytes(text.read_bytes())
    there = f"{bucket}/vectors"
    assert embed(there, inputs=f"{bucket}/*.txt", engine=bulk.RayData())
    embed(tmp_path / "vectors")
    assert contents(as_path(there)) == contents(tmp_path / "vectors")
    assert bulk.check(there) == []


class Changing(Killing):
    """An engine before which something happens to the run."""

    def __call__(self, run, work, embedded):
        self.kill(run)
        self.engine(run, work, embedded)


def other_versions(run):
    run.manifest.run["tensorflow"] = "2.0"


def test_errors_are_those_of_the_worker(cluster, embed, tmp_path):
    engine = Changing(bulk.RayData(), other_versions)
    with pytest.raises(ValueError, match=r"should go on with .* tensorflow '2.0', now"):
        embed(tmp_path / "there", engine=engine)


def test_more_cores_than_there_are(cluster, embed, tmp_path):
    with pytest.raises(ValueError, match="`cpus_per_worker` should be at most"):
        embed(tmp_path / "there", engine=bulk.RayData(cpus_per_worker=99))


def test_command(cluster, text, tmp_path, capsys):
    output = tmp_path / "vectors"
    main(["embed", str(text), str(output), "--engine", "ray", "--workers", "1:2"])
    assert f"{output} is complete" in capsys.readouterr().out


def test_standard_input_is_refused(embed, tmp_path, monkeypatch, text):
    with text.open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        with pytest.raises(ValueError, match="every worker can read"):
            embed(tmp_path / "there", inputs="-", engine=bulk.RayData())
    assert not (tmp_path / "there").exists()


@pytest.mark.parametrize(
    "given",
    [
        {"workers": 0},
        {"workers": (3, 2)},
        {"workers": (1, 2, 3)},
        {"cpus_per_worker": 0},
    ],
)
def test_bad_numbers(given):
    with pytest.raises(ValueError, match=next(iter(given))):
        bulk.RayData(**given)
