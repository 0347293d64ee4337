"""The client of the API server, with a stand-in for kubectl."""

import json
from pathlib import Path

import pytest

from review.cluster.kubectl import Cluster, ForbiddenError, UnansweredError
from tests.review.cluster.kubectl import TIMEOUT, Answers, failure

PERMISSION = {"verb": "create", "group": "", "resource": "pods", "namespace": "a"}


@pytest.mark.parametrize(
    "stderr",
    [
        TIMEOUT,
        "error: You must be logged in to the server (Unauthorized)",
        "Error from server (Timeout): the server was unable to return a response in the time allotted",
        'Error from server (InternalError): failed calling webhook "w": no endpoints available',
        "",
    ],
)
def test_a_call_that_fails_is_neither_a_yes_nor_a_no(stderr: str, answers: Answers) -> None:
    answers(failure(stderr))
    cluster = Cluster()
    for query in (
        cluster.reach,
        lambda: cluster.kinds("apps/v1"),
        lambda: cluster.get("nodes"),
        lambda: cluster.list_all("pods,events", "a"),
        lambda: cluster.dry_run({}),
        lambda: cluster.denied([PERMISSION]),
    ):
        with pytest.raises(UnansweredError) as raised:
            query()
        assert str(raised.value) == (stderr.removeprefix("error: ") or "kubectl exited with status 1")


def test_the_details_of_an_error_have_the_command_and_all_of_its_output(answers: Answers) -> None:
    answers(failure("retrying\nerror: no"))
    with pytest.raises(UnansweredError) as raised:
        Cluster("far", Path("/config")).get("Job", "j", "a")
    assert str(raised.value) == "no"
    command = "kubectl --context far --kubeconfig /config get Job j --namespace a --output json"
    assert raised.value.details == f"{command}: retrying\nerror: no"


def test_a_call_has_a_time_limit(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    answers("*) exec sleep 60 ;;")
    monkeypatch.setattr("review.cluster.kubectl._TIMEOUT", 0.2)
    with pytest.raises(UnansweredError, match="timed out"):
        Cluster().get("nodes")


def test_kubectl_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnansweredError, match="No such file"):
        Cluster().reach()


def test_objects_that_do_not_exist(answers: Answers) -> None:
    answers(failure('Error from server (NotFound): namespaces "a" not found'))
    assert Cluster().kinds("keda.sh/v1") is None
    assert Cluster().get("namespace", "a") is None
    answers(failure('error: the server doesn\'t have a resource type "ScaledObject"'))
    assert Cluster().get("ScaledObject", "a") is None


def test_objects_that_this_user_may_not_read(answers: Answers) -> None:
    answers(failure('Error from server (Forbidden): secrets is forbidden: User "u" cannot list resource "secrets"'))
    with pytest.raises(ForbiddenError):
        Cluster().get("Secret", "a")
    with pytest.raises(ForbiddenError):
        Cluster().list_all("secrets", "a")


def test_objects_and_kinds_that_exist(answers: Answers) -> None:
    resources = [
        {"name": "deployments", "kind": "Deployment", "namespaced": True},
        {"name": "deployments/status", "kind": "Deployment", "namespaced": True},
    ]
    answers(
        f"*/apis/apps/v1*) echo '{json.dumps({'resources': resources})}' ;;\n"
        """*"get Job j"*) echo '{"kind": "Job"}' ;;\n*"get pods,events"*) echo '{"items": [1, 2]}' ;;"""
    )
    assert Cluster().kinds("apps/v1") == {"Deployment": ("deployments", True)}
    assert Cluster().get("Job", "j", "a") == {"kind": "Job"}
    assert Cluster().list_all("pods,events", "a") == [1, 2]


@pytest.mark.parametrize(
    "stderr",
    [
        'Error from server (Forbidden): error when creating "STDIN": pods "x" is forbidden: violates PodSecurity',
        'The Pod "x" is invalid: spec.containers[0].image: Required value',
        'Error from server (BadRequest): error when creating "STDIN": strict decoding error: unknown field "spec.x"',
        'Error from server: error when creating "STDIN": admission webhook "w" denied the request: no',
    ],
)
def test_a_dry_run_that_is_rejected(stderr: str, answers: Answers) -> None:
    answers(failure(stderr))
    assert Cluster().dry_run({}) == stderr


def test_a_dry_run_that_succeeds(answers: Answers, tmp_path: Path) -> None:
    answers(f"*--dry-run=server*) cat >{tmp_path}/manifest; echo pod/x ;;")
    assert Cluster().dry_run({"kind": "Pod"}) is None
    assert json.loads((tmp_path / "manifest").read_text(encoding="utf-8")) == {"kind": "Pod"}


def test_permissions(answers: Answers) -> None:
    reviews = [
        {"spec": {"resourceAttributes": {"verb": verb}}, "status": {"allowed": allowed}}
        for verb, allowed in (("create", True), ("delete", False))
    ]
    output = "\n".join(json.dumps(review, indent=2) for review in reviews)
    answers(f"*create*) cat <<'EOF'\n{output}\nEOF\n;;")
    assert Cluster().denied([PERMISSION, PERMISSION]) == [{"verb": "delete"}]
    assert Cluster().denied([]) == []


def test_a_query_runs_once_even_if_it_fails(answers: Answers, tmp_path: Path) -> None:
    answers(f"*) echo >>{tmp_path}/calls; exit 1 ;;")
    cluster = Cluster()
    for _ in range(2):
        with pytest.raises(UnansweredError):
            cluster.get("nodes")
    assert (tmp_path / "calls").read_text(encoding="utf-8") == "\n"
