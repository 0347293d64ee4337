"""How the API server is asked, with a stand-in for kubectl that answers as a test says."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from review.cluster.checks import check, seen
from review.cluster.kubeconfig import kubeconfig
from review.cluster.kubectl import Cluster, ForbiddenError, UnansweredError
from review.preview import parse

FILE = Path(__file__).parent / "prod-change.json"
TIMEOUT = "Unable to connect to the server: net/http: TLS handshake timeout"
Answers = Callable[[str], None]


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Gives kubectl a body: cases of a shell over its arguments; all else is a timeout."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def write(cases: str) -> None:
        script = f'#!/usr/bin/env bash\ncase "$*" in\n{cases}\n*) echo "{TIMEOUT}" >&2; exit 1 ;;\nesac\n'
        (tmp_path / "kubectl").write_text(script, encoding="utf-8")
        (tmp_path / "kubectl").chmod(0o755)

    return write


def fails(said: str) -> str:
    return f"*) cat >&2 <<'EOF'\n{said}\nEOF\nexit 1 ;;"


@pytest.mark.parametrize(
    "said",
    [
        TIMEOUT,
        "error: You must be logged in to the server (Unauthorized)",
        "Error from server (Timeout): the server was unable to return a response in the time allotted",
        'Error from server (InternalError): failed calling webhook "w": no endpoints available',
        "",
    ],
)
def test_a_call_that_fails_is_neither_a_yes_nor_a_no(said: str, answers: Answers) -> None:
    answers(fails(said))
    cluster = Cluster()
    right = {"verb": "create", "group": "", "resource": "pods", "namespace": "a"}
    for ask in (
        cluster.reach,
        lambda: cluster.kinds("apps/v1"),
        lambda: cluster.get("nodes"),
        lambda: cluster.dry_run({}),
        lambda: cluster.denied([right]),
    ):
        with pytest.raises(UnansweredError) as raised:
            ask()
        assert str(raised.value) == (said.removeprefix("error: ") or "kubectl ended with status 1")


def test_what_the_api_server_says_is_not_there_or_not_for_this_user(answers: Answers) -> None:
    answers(fails('Error from server (NotFound): namespaces "a" not found'))
    assert Cluster().kinds("keda.sh/v1") is None
    assert Cluster().get("namespace", "a") is None
    answers(fails('error: the server doesn\'t have a resource type "ScaledObject"'))
    assert Cluster().get("ScaledObject", "a") is None
    answers(fails('Error from server (Forbidden): secrets is forbidden: User "u" cannot list resource "secrets"'))
    with pytest.raises(ForbiddenError):
        Cluster().get("Secret", "a")


@pytest.mark.parametrize(
    "said",
    [
        'Error from server (Forbidden): error when creating "STDIN": pods "x" is forbidden: violates PodSecurity',
        'The Pod "x" is invalid: spec.containers[0].image: Required value',
        'Error from server (BadRequest): error when creating "STDIN": strict decoding error: unknown field "spec.x"',
        'Error from server: error when creating "STDIN": admission webhook "w" denied the request: no',
    ],
)
def test_what_the_api_server_does_not_take(said: str, answers: Answers) -> None:
    answers(fails(said))
    assert Cluster().dry_run({}) == said


def test_a_question_without_an_answer_is_asked_once(answers: Answers, tmp_path: Path) -> None:
    answers(f"*) echo >>{tmp_path}/asked; exit 1 ;;")
    cluster = Cluster()
    for _ in range(2):
        with pytest.raises(UnansweredError):
            cluster.get("nodes")
    assert (tmp_path / "asked").read_text(encoding="utf-8") == "\n"


def test_a_cluster_that_is_gone_after_its_first_answer_is_not_taken_for_an_empty_one(answers: Answers) -> None:
    answers("*readyz*) ;;")
    preview = parse(FILE.read_text(encoding="utf-8"), "prod")
    cluster = Cluster()
    cluster.reach()
    assert seen(preview, cluster) == preview
    checks = check(preview, cluster)
    assert (checks.problems, checks.warnings, checks.others) == ([], [], [])
    assert all(note.endswith(f": the cluster gave no answer: {TIMEOUT}") for note in checks.notes)
    assert len(set(checks.notes)) == len(checks.notes)
    told = "\n".join(checks.notes)
    for question in (
        "Service ml-serving/model-api as it is now, not as Pulumi saw it last",
        "whether the cluster knows Deployment of apps/v1",
        "the rights to change Deployment of apps/v1",
        "Deployment ml-serving/model-serving against the cluster",
        "whether pods of Deployment ml-serving/model-serving would be admitted",
        "the nodes of Deployment ml-serving/model-serving",
        "pods in ml-serving that are not the stack's",
    ):
        assert question in told


def test_rights_that_cannot_be_told_are_noted(answers: Answers) -> None:
    deployments = json.dumps({"resources": [{"name": "deployments", "kind": "Deployment", "namespaced": True}]})
    answers(f"*/apis/apps/v1*) echo '{deployments}' ;;")
    notes = check(parse(FILE.read_text(encoding="utf-8"), "prod"), Cluster()).notes
    assert f"the rights of whoever deploys: the cluster gave no answer: {TIMEOUT}" in notes


CONTENT = "apiVersion: v1\nkind: Config\nclusters: []\nusers: [{name: u, user: {token: swordfish}}]\n"


def reviewed(given: str | None, tmp_path: Path) -> str:
    """The page of a change of a stack that has something as its kubeconfig."""
    preview = json.loads(FILE.read_text(encoding="utf-8"))
    preview["config"]["kubernetes:context"] = "far"
    if given is not None:
        preview["config"]["kubernetes:kubeconfig"] = given
    (tmp_path / "preview.json").write_text(json.dumps(preview), encoding="utf-8")
    command = [sys.executable, "-m", "review", "--stack", "prod", "--preview", str(tmp_path / "preview.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_cluster_of_the_stacks_own_kubeconfig_is_asked(answers: Answers, tmp_path: Path) -> None:
    answers(f'*readyz*) echo "$*" >>{tmp_path}/asked; cat "$4" >{tmp_path}/read; exit 1 ;;')
    file = tmp_path / "my.kubeconfig"
    file.write_text("mine", encoding="utf-8")
    for given, read in ((str(file), "mine"), (CONTENT, CONTENT)):
        page = reviewed(given, tmp_path)
        assert "the cluster: it was not asked what it would refuse, and what is there by now: kubectl ended" in page
        assert "swordfish" not in page
        assert (tmp_path / "read").read_text(encoding="utf-8") == read
    first, second = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert first.startswith(f"--context far --kubeconfig {file} get ")
    assert not Path(second.split(" ")[3]).exists()  # it has credentials in it
    assert "--kubeconfig" not in reviewed(None, tmp_path)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("[secret]", "kubernetes:kubeconfig is a secret, which a preview does not show; set it to the path of a file"),
        ("/nowhere/swordfish", "kubernetes:kubeconfig is neither a file that is there nor a kubeconfig"),
        ("{swordfish", "kubernetes:kubeconfig is neither a file that is there nor a kubeconfig"),
    ],
)
def test_no_other_cluster_is_asked_where_the_kubeconfig_cannot_be_used(
    given: str, why: str, answers: Answers, tmp_path: Path
) -> None:
    answers(f"*) touch {tmp_path}/asked ;;")
    page = reviewed(given, tmp_path)
    assert f"it was not asked what it would refuse, and what is there by now: {why}" in page
    assert "swordfish" not in page
    assert not (tmp_path / "asked").exists()


def test_a_kubeconfig_with_content_is_read_by_its_owner_only() -> None:
    with kubeconfig({"kubernetes:kubeconfig": CONTENT}) as file:
        assert file is not None
        assert file.read_text(encoding="utf-8") == CONTENT
        assert file.parent.stat().st_mode & 0o077 == 0
    assert not file.exists()
