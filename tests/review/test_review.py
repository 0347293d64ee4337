"""The page that a reviewer reads, made of what the real engine said of a change of the prod stack."""

import copy
import json
import re
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from components.base.objects import UNKNOWN
from review.capacity import Gpus, gpus, quota_use
from review.diff import FieldChange, changes
from review.layout import LIMIT, Page, Section, code, fitted
from review.page import bar
from review.pools import node_pools
from review.preview import UNKNOWN_TEXT, PreviewError, parse
from review.render import as_json, markdown, marker, text
from review.review import Review, review
from review.secrets import shown

HERE = Path(__file__).parent
GIVEN = json.loads((HERE / "prod-change.json").read_text(encoding="utf-8"))
POOLS: dict[str, dict[str, Any]] = {
    "cpu": {"gpuResource": None, "nodeSelector": {"cloud.google.com/gke-nodepool": "cpu"}, "hourlyCost": None},
    "gpu": {
        "gpuResource": "nvidia.com/gpu",
        "nodeSelector": {"cloud.google.com/gke-accelerator": "nvidia-l4"},
        "hourlyCost": "0.71",
    },
}
TODAY = date(2026, 6, 1)


def given() -> dict[str, Any]:
    return copy.deepcopy(GIVEN)


def step(preview: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [step for step in preview["steps"] if step["urn"].endswith(f"::{name}")]
    return dict(found)


def reviewed(preview: dict[str, Any]) -> Review:
    return review(parse(json.dumps(preview), "prod"), POOLS, TODAY)


def test_the_page_of_a_change_of_prod() -> None:
    assert markdown(reviewed(given())) == (HERE / "prod-change.md").read_text(encoding="utf-8")


def test_the_verdict_is_first() -> None:
    first, second, *_ = markdown(reviewed(given())).splitlines()
    assert first == marker("prod")
    assert second == "## prod: ⚠️ look before you approve: 2 interruptions"
    assert text(reviewed(given())).startswith("prod: ⚠️ look before you approve: 2 interruptions\n")


def test_nothing_to_do() -> None:
    preview = given()
    there = [step for step in preview["steps"] if "oldState" in step]
    preview["steps"] = [{**step, "op": "same", "newState": step["oldState"]} for step in there]
    made = reviewed(preview)
    assert made.level == "nothing"
    assert "✅ no changes" in markdown(made)


def test_a_preview_that_fails_lists_nothing_that_it_did_not_get_to() -> None:
    preview = given()
    preview["diagnostics"] = [
        {"severity": "error", "message": "error: Pulumi.prod.yaml: it is wrong\n  fix it"},
        {"severity": "error", "message": "error: an unhandled error occurred: program exited with 1"},
        {"severity": "warning", "message": "warning: old"},
    ]
    made = reviewed(preview)
    assert made.level == "stop"
    assert made.problems == ("Pulumi.prod.yaml: it is wrong\n  fix it",)
    page = markdown(made)
    assert "```\n  Pulumi.prod.yaml: it is wrong\n    fix it\n  ```" in page
    assert "model-serving" not in page


@pytest.mark.parametrize(
    ("replicas", "strategy", "use"),
    [(8, None, 8), (9, None, 9), (7, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}}, 9)],
    ids=["fits", "one replica too many", "too many during a rollout"],
)
def test_over_quota(replicas: int, strategy: dict[str, Any] | None, use: int) -> None:
    preview = given()
    spec = step(preview, "model-serving-deployment")["newState"]["inputs"]["spec"]
    spec.update(replicas=replicas, **({"strategy": strategy} if strategy else {}))
    made = reviewed(preview)
    assert made.level == ("look" if use <= 8 else "stop")
    said = f"ResourceQuota ml-serving/ml-serving-quota allows 8 of requests.nvidia.com/gpu, and {use} would be in use"
    assert any(said in problem for problem in made.problems) == (use > 8)
    assert ("112 % ✗" in markdown(made)) == (use > 8)


def test_a_mandatory_rule_stops_and_says_how_to_fix() -> None:
    preview = given()
    container = step(preview, "model-serving-deployment")["newState"]["inputs"]["spec"]["template"]["spec"][
        "containers"
    ][0]
    container["image"] = "myregistry/bert-serving:latest"
    (problem,) = reviewed(preview).problems
    assert "whose tag is latest: name a version as the tag, or a digest (image-pinned)" in problem
    preview["config"]["policies:severity"] = '{"image-pinned": "advisory"}'
    assert reviewed(preview).level == "look"


def test_what_was_pending_before_is_told_apart() -> None:
    base = given()
    step(base, "model-serving-deployment")["newState"]["inputs"]["spec"]["replicas"] = 4
    made = review(parse(json.dumps(given())), POOLS, TODAY, base=parse(json.dumps(base)))
    assert "Deployment ml-serving/model-serving" not in made.pending
    assert "Service ml-serving/model-api" in made.pending
    assert len(made.pending) == sum(made.counts.values()) - 1
    assert "### Not of this change: pending already\n\n- `Job ml-experiments/image-classifier-more`" in markdown(made)


def test_wrong_settings_of_the_rules_stop() -> None:
    preview = given()
    preview["config"]["policies:severity"] = '{"image-pined": "advisory"}'
    assert "there is no rule 'image-pined'" in reviewed(preview).problems[0]


def test_what_is_known_after_up_only_is_said() -> None:
    preview = given()
    inputs = step(preview, "model-serving-deployment")["newState"]["inputs"]
    inputs["spec"]["template"]["spec"]["containers"][0]["image"] = UNKNOWN_TEXT
    inputs["spec"]["replicas"] = UNKNOWN_TEXT
    made = reviewed(preview)
    page = markdown(made)
    assert "`(known after up)`" in page
    assert "image-pinned of Deployment ml-serving/model-serving" in page
    assert "the quota of ml-serving: values that it depends on are known after up" in page
    assert UNKNOWN_TEXT not in page


LEAKS = {
    "a variable": {"name": "HF_TOKEN", "value": "swordfish-0"},
    "a token by its look": {"name": "EXTRA", "value": "hf_swordfishabcdef"},
    "a password in an address": {"name": "URL", "value": "postgres://nlp:swordfish@db/x"},
    "a private key": {"name": "X", "value": "-----BEGIN RSA PRIVATE KEY-----\nswordfish"},
    "a password of PostgreSQL": {"name": "PGPASSWORD", "value": "swordfish"},
    "a password of MySQL": {"name": "MYSQL_PWD", "value": "swordfish"},
    "a name in camel case": {"name": "clientSecret", "value": "swordfish"},
    "a password in an address without a user": {"name": "URL", "value": "redis://:swordfish@h"},
    "a bearer of an address": {"name": "HEADERS", "value": "Accept: */*, Authorization: Bearer swordfish"},
    "a basic authorization": {"name": "HEADERS", "value": "Authorization: Basic swordfish"},
    "a variable in a script": {"name": "RUN", "value": "cd /m; export HF_TOKEN='sword swordfish'; serve"},
    "a variable before a command": {"name": "RUN", "value": "HF_TOKEN=swordfish serve"},
    "a line of a file of variables": {"name": "FILE", "value": "USER=nlp\nHF_TOKEN=the old swordfish\n"},
    "a flag in a script": {"name": "RUN", "value": "serve --lr 5 --hf-token swordfish --tokenizer t"},
    "a flag in a list": {"name": "RUN", "value": '["serve", "--hf-token", "swordfish"]'},
    "a line of YAML": {"name": "FILE", "value": "user: nlp\npassword: the old swordfish\n"},
    "a block of YAML": {"name": "FILE", "value": "password: |\n  the old\n  swordfish\nuser: nlp\n"},
    "a member of JSON": {"name": "FILE", "value": '{"apiKey":"swordfish"}'},
}
SECRET_ARGUMENTS = [
    ["--token", "swordfish-1"],
    ["--api-key=swordfish-2"],
    ["--hf_token=swordfish-3"],
    ["--hf_token swordfish-4"],
    ["--s3-secret-key=swordfish-5"],
    ["--aws-secret-access-key", "swordfish-6"],
    ["HF_TOKEN=swordfish-7"],
]
SECRET_KEYS = ("db.password", "db-password", "dbPassword", "dbpassword", "API_KEY", "hub/token2")


@pytest.mark.parametrize("leak", LEAKS)
def test_secrets_never_appear(leak: str) -> None:
    preview = given()
    spec = step(preview, "model-serving-deployment")["newState"]["inputs"]["spec"]["template"]["spec"]
    spec["containers"][0]["env"] = [LEAKS[leak]]
    spec["containers"][0]["args"] = [item for argument in SECRET_ARGUMENTS for item in argument]
    spec["containers"][0]["settings"] = dict.fromkeys(SECRET_KEYS, "swordfish-8")
    finetune = step(preview, "finetune-service-account")["newState"]["inputs"]
    finetune.update(kind="Secret", stringData={"plain": "swordfish-9"})
    made = reviewed(preview)
    for written in (markdown(made), text(made), as_json(made)):
        assert "swordfish" not in written
    assert "[secret]" in markdown(made)


def test_a_secret_that_changes_is_told_without_either_value() -> None:
    one, other = ({"env": [{"name": "API_KEY", "value": value}]} for value in ("swordfish", "shark"))
    assert changes(one, other) == [FieldChange("env[API_KEY].value", "[secret]", "[secret]")]


@pytest.mark.parametrize("argument", [*SECRET_ARGUMENTS, ["sh", "-c", "export HF_TOKEN=swordfish; serve"]])
def test_secret_arguments_are_hidden_one_by_one(argument: list[str]) -> None:
    told = json.dumps(shown(argument))
    assert "swordfish" not in told
    assert "[secret]" in told
    assert shown([*argument, "--lr=5"])[-1] == "--lr=5"


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_keys_that_name_a_secret(key: str) -> None:
    assert shown({"data": {key: "swordfish"}}) == {"data": {key: "[secret]"}}


HARMLESS_NAMES = """TOKENIZER TOKENIZER_PATH MAX_TOKENS max-new-tokens tokens-per-second ms-per-token TOKEN_FILE tokenFile
    keyboard monkey MONKEY KEYS_PER_BATCH topologyKey secretName PWD OLDPWD eos_token padToken passwordless"""


@pytest.mark.parametrize("name", HARMLESS_NAMES.split())
def test_what_is_no_secret_is_shown(name: str) -> None:
    harmless = {
        "env": [{"name": name, "value": "/m"}],
        "args": [f"--{name}", "5", f"--{name}=5", f"serve --{name} 5 {name}=5"],
        name: "hub",
    }
    assert shown(harmless) == harmless


def test_what_is_around_a_secret_is_shown() -> None:
    script = "cd /m; export HF_TOKEN='a b'; serve --hf-token c --lr 5"
    assert shown(script) == "cd /m; export HF_TOKEN=[secret] serve --hf-token [secret] --lr 5"
    assert shown("user: a\npassword: b c\nport: 1") == "user: a\npassword: [secret]\nport: 1"
    assert shown("registry/token:v1") == "registry/token:v1"


def test_a_container_in_between_moves_nothing() -> None:
    one = {"containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]}
    other = {
        "containers": [{"name": "new", "image": "n:1"}, {"name": "a", "image": "a:2"}, {"name": "b", "image": "b:1"}]
    }
    assert changes(one, other) == [
        FieldChange("containers[a].image", "a:1", "a:2"),
        FieldChange("containers[new]", None, '{"image": "n:1"}'),
    ]


def test_an_entry_whose_name_looks_like_a_token_is_told_by_its_name() -> None:
    one, other = ({"containers": [{"name": "sk-preprocess", "image": image}]} for image in ("a:1", "a:2"))
    assert changes(one, other) == [FieldChange("containers[sk-preprocess].image", "a:1", "a:2")]


HOSTILE = "x` | [a](http://evil) @everyone <img src=x> **b**\n# title"


def test_nothing_in_a_stack_makes_a_link_a_mention_or_a_row() -> None:
    preview = given()
    inputs = step(preview, "model-serving-deployment")["newState"]["inputs"]
    inputs["metadata"]["annotations"] = {HOSTILE: HOSTILE}
    inputs["spec"]["template"]["spec"]["containers"][0]["image"] = HOSTILE
    page = markdown(reviewed(preview))
    outside_code = re.sub(r"(```+)\n.*?\n *\1", "", page, flags=re.DOTALL)
    outside_code = re.sub(r"(`+)(?:(?!\1).)+?\1", "", outside_code)
    for trick in ("](http", "@everyone", "<img", "**b**"):
        assert trick not in outside_code
    rows = [line for line in page.splitlines() if line.startswith("| ") and "annotations" in line]
    assert rows
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows)
    assert "\n# title" not in page


def large(objects: int) -> dict[str, Any]:
    preview = given()
    template = step(preview, "model-serving-deployment")
    for index in range(objects):
        changed = copy.deepcopy(template)
        changed["urn"] += f"-{index}"
        for side in ("oldState", "newState"):
            changed[side]["parent"] = f"urn:pulumi:prod::ml-platform::ml-platform:index:ModelService::service-{index}"
            changed[side]["inputs"]["metadata"]["name"] = f"service-{index}"
        changed["newState"]["inputs"]["spec"]["template"]["spec"]["containers"][0]["env"] = [
            {"name": f"V{number}", "value": "x" * 200} for number in range(5)
        ]
        preview["steps"].append(changed)
    return preview


@pytest.mark.parametrize("objects", [20, 150, 600])
def test_it_never_exceeds_the_comment_limit_and_says_what_it_left_out(objects: int) -> None:
    page = markdown(reviewed(large(objects)))
    assert len(page) <= LIMIT
    assert page.splitlines()[1].startswith("## prod: ❌")
    assert "ResourceQuota ml-serving/ml-serving-quota allows 8 of requests.nvidia.com/gpu" in page
    assert "### GPUs and their cost" in page
    if objects > 20:
        assert "components, for a comment has an end: " in page


def failing(*messages: str) -> str:
    """The page of a preview that fails with some messages."""
    preview = given()
    preview["diagnostics"] = [{"severity": "error", "message": message} for message in messages]
    page = markdown(reviewed(preview))
    assert len(page) <= LIMIT
    return page


@pytest.mark.parametrize("break_", ["", "\n"], ids=["a line", "lines"])
def test_an_entry_that_is_longer_than_a_comment_is_cut_and_takes_no_other_with_it(break_: str) -> None:
    page = failing("the long one: " + break_ + "y" * 2 * LIMIT, "the short one: fix it")
    assert "the long one: " in page
    assert f"y… ({2 * LIMIT + len(break_) + 14 - 1000} characters more)" in page
    assert "the short one: fix it" in page


def test_many_long_problems_are_cut_and_all_there() -> None:
    page = failing(*(f"problem {index}: " + "y" * 3_000 for index in range(30)))
    assert [f"problem {index}: " in page for index in range(30)] == [True] * 30


def test_as_many_problems_as_fit_are_there_and_the_rest_is_counted() -> None:
    page = failing(*(f"problem {index}: " + "`" * 3_000 for index in range(30)))  # each is written as five characters
    there = sum(f"problem {index}: " in page for index in range(30))
    assert there >= 10
    assert f"*{30 - there} more left out: the page would not fit into a comment.*" in page


def test_sections_that_do_not_fit_are_named() -> None:
    sections = (
        Section("First", lines=("a" * 500,)),
        Section("Component", lines=("b" * 500,), component=True),
        Section("Second|" * 600, lines=("c" * 500,)),
        Section("Third", lines=("d" * 500,)),
    )

    def written(section: Section) -> str:
        return section.title.replace("|", "&#124;") + "".join(section.lines)

    page = fitted(Page("prod", "", "", sections), "head", written, 7_100)
    assert len(page) <= 7_100
    assert page.startswith("headFirst" + "a" * 500 + "Third" + "d" * 400)
    assert "Left out2 sections, for a comment has an end: Component, Second|Second|" in page


def test_a_name_is_still_quoted_where_an_entry_is_cut_in_it() -> None:
    long = Section("T", lines=(code("y" * 2 * LIMIT),))
    page = fitted(Page("prod", "", "", (long,)), "", lambda section: section.lines[0])
    assert page == code("y" * 999 + "…") + f" ({2 * LIMIT + 2 - 1000} characters more)"


@pytest.mark.parametrize(
    "garbage",
    [
        *("", "{}", "[]", "error: no stack", '{"steps": 3', '{"steps": 5}', '{"steps": [5]}', '{"steps": [{"op": 1}]}'),
        '{"steps": [{"op": "create", "urn": "u", "newState": 5}]}',
        '{"steps": [{"op": "create", "urn": "u", "newState": {"type": "kubernetes:x", "inputs": "kind"}}]}',
        '{"steps": [], "diagnostics": 5}',
        '{"steps": [], "config": 5}',
    ],
)
def test_what_is_no_preview(garbage: str) -> None:
    with pytest.raises(PreviewError):
        parse(garbage)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"steps": 5}', "this is not the output of pulumi preview --json: steps is not as it writes it"),
        ('{"steps": []}'.encode("utf-16"), "it is not UTF-8"),
    ],
)
def test_a_file_that_is_no_preview_is_told_in_words(content: bytes, told: str, tmp_path: Path) -> None:
    file = tmp_path / "preview.json"
    file.write_bytes(content)
    for name, source in ((str(file), str(file)), ("-", "stdin")):
        command = [sys.executable, "-m", "review", "--stack", "prod", "--preview", name]
        done = subprocess.run(command, input=content, capture_output=True, check=False)
        assert (done.returncode, done.stdout) == (2, b"")
        assert done.stderr.decode().startswith(f"{source}: {told}")


def test_lines_of_a_plugin_before_the_digest_do_no_harm() -> None:
    preview = parse("warning: a plugin speaks\n" + json.dumps(GIVEN))
    assert preview.stack == "prod"
    assert preview == parse(json.dumps(GIVEN))


INTERRUPTED = [
    ("model-serving-service", "delete", "gives up the address"),
    ("ml-training-namespace", "delete", "everything in it is deleted"),
    ("ml-training-namespace", "replace", "everything in it is deleted"),
    ("model-serving-deployment", "delete", "3 pods at once: nothing answers until new ones are ready"),
    ("pytorch-training-pod", "replace", "its pod, which is Running: what is not in a checkpoint is lost"),
    ("ml-training-quota", "delete", ""),
]


@pytest.mark.parametrize(("name", "op", "what"), INTERRUPTED)
def test_what_is_interrupted(name: str, op: str, what: str) -> None:
    preview = given()
    for changed in preview["steps"]:
        changed["op"] = "same"
        if changed["urn"].endswith(f"::{name}"):
            changed["op"] = op
    found = reviewed(preview).interruptions
    told = [interruption.what for interruption in found if interruption.gone]
    assert [what in one for one in told] == ([True] if what else [])


def rolling(surge: int | str, unavailable: int | str) -> dict[str, Any]:
    return {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}}


OUTAGES: dict[str, tuple[dict[str, Any], int, str]] = {
    "recreated": ({"replicas": 3, "strategy": {"type": "Recreate"}}, 3, "3 pods at once: nothing answers until"),
    "scaled to zero": ({"replicas": 0}, 3, "3 pods at once: nothing answers any more"),
    "all unavailable": ({"replicas": 3, **rolling(0, 3)}, 3, "3 pods at once: nothing answers until"),
    "all of them in percent": ({"replicas": 3, **rolling("25%", "100%")}, 3, "nothing answers until"),
    "the only one": ({"replicas": 1, **rolling(0, 1)}, 1, "1 pod at once: nothing answers until"),
    "the only one of an autoscaler": ({"replicas": None, **rolling(0, 1)}, 1, "nothing answers until"),
    "neither step": ({"replicas": 1, **rolling(0, 0)}, 1, "nothing answers until"),
}
GENTLE: dict[str, tuple[dict[str, Any], int]] = {
    "the only one of a StatefulSet that is replaced by hand": (
        {"kind": "StatefulSet", "replicas": 1, "updateStrategy": {"type": "OnDelete"}}, 1,
    ),
    "one more first": ({"replicas": 1, **rolling(1, 0)}, 1),
    "Kubernetes' defaults": ({"replicas": 1, "strategy": None}, 1),
    "one of two": ({"replicas": 2, **rolling(0, 1)}, 2),
    "a share, rounded down": ({"replicas": 3, **rolling(0, "99%")}, 3),
    "not known": ({"replicas": 1, **rolling(UNKNOWN_TEXT, UNKNOWN_TEXT)}, 1),
}  # fmt: skip


def rollout(fields: dict[str, Any], running: int) -> Review:
    """A new image for the service of prod, and fields of its spec beside; None: without it."""
    preview = given()
    changed = step(preview, "model-serving-deployment")
    preview["steps"] = [changed]
    spec = changed["newState"]["inputs"]["spec"]
    merged = {**spec, **fields, "kind": None}
    spec.clear()
    spec.update({key: value for key, value in merged.items() if value is not None})
    spec["template"]["spec"]["containers"][0]["image"] = "myregistry/bert-serving:v2"
    changed["oldState"]["outputs"]["status"]["replicas"] = running
    for side in ("oldState", "newState"):
        changed[side]["inputs"]["kind"] = fields.get("kind", "Deployment")
    return reviewed(preview)


@pytest.mark.parametrize("outage", OUTAGES)
def test_a_rollout_in_which_nothing_answers_is_an_interruption(outage: str) -> None:
    fields, running, what = OUTAGES[outage]
    made = rollout(fields, running)
    (interruption,) = made.interruptions
    assert interruption.gone
    assert what in interruption.what
    assert "nothing is interrupted" not in markdown(made)
    assert made.level == "look"


def test_the_only_pod_of_a_stateful_set_is_an_interruption() -> None:
    (interruption,) = rollout({"kind": "StatefulSet", "replicas": 1}, 1).interruptions
    assert interruption.gone


@pytest.mark.parametrize("change", GENTLE)
def test_a_rollout_in_which_pods_answer_all_the_time_is_none(change: str) -> None:
    fields, running = GENTLE[change]
    (interruption,) = rollout(fields, running).interruptions
    assert not interruption.gone
    assert interruption.what.endswith("replaced one after another")


def test_a_rollout_of_what_does_not_run_interrupts_nothing() -> None:
    assert rollout({"replicas": 0}, 0).interruptions == ()


def service(gpus: str = "2", **selector: str) -> dict[str, Any]:
    """A Deployment of one pod with GPUs, those of POOLS where it is given no other nodes."""
    limits = {"resources": {"limits": {"nvidia.com/gpu": gpus}}}
    nodes = {"cloud.google.com/gke-accelerator": "nvidia-l4", **selector}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "m", "namespace": "a"},
        "spec": {"template": {"spec": {"nodeSelector": nodes, "containers": [{"name": "c", **limits}]}}},
    }


def counted(*manifests: dict[str, Any], pools: dict[str, dict[str, Any]] = POOLS) -> Gpus:
    return gpus([], manifests, pools, pools)[1]


def test_gpus_of_an_autoscaled_service_are_counted_at_most() -> None:
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "m", "namespace": "a"},
        "spec": {"maxReplicas": 4, "scaleTargetRef": {"kind": "Deployment", "name": "m"}},
    }
    assert counted(service()) == Gpus(serving=Decimal(2), serving_cost=Decimal("1.42"))
    assert counted(service(), scaler) == Gpus(serving=Decimal(8), serving_cost=Decimal("5.68"))
    assert counted(service(), pools={}) == Gpus(serving=Decimal(2), unpriced={"Deployment a/m": Decimal(2)})


def test_the_price_is_that_of_the_most_specific_pool_with_the_same_gpus() -> None:
    labels = {"cloud.google.com/gke-accelerator": "nvidia-l4"}
    spot = {**labels, "cloud.google.com/gke-spot": "true"}
    pools = {
        "any": {"gpuResource": "nvidia.com/gpu", "nodeSelector": labels, "hourlyCost": "0.71"},
        "spot": {"gpuResource": "nvidia.com/gpu", "nodeSelector": spot, "hourlyCost": "0.25"},
        "slices": {
            "gpuResource": "nvidia.com/mig-1g.10gb", "nodeSelector": {**spot, "zone": "a"}, "hourlyCost": "0.1",
        },
    }  # fmt: skip
    assert counted(service(), pools=pools).serving_cost == Decimal("1.42")
    assert counted(service(**spot, zone="a"), pools=pools).serving_cost == Decimal("0.50")


A100 = {"cloud.google.com/gke-accelerator": "nvidia-tesla-a100"}


def onto_a100() -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """A change of prod whose only part is that the GPU pool has other GPUs, and the pools after it."""
    preview = given()
    preview["steps"] = [step(preview, "model-serving-deployment")]
    spec = preview["steps"][0]["newState"]["inputs"]["spec"]
    spec["template"]["spec"]["nodeSelector"] = A100
    spec["replicas"] = 3
    return preview, {"gpu": {"gpuResource": "nvidia.com/gpu", "nodeSelector": A100, "hourlyCost": "3.00"}}


def test_what_ran_before_has_the_price_of_the_pools_before() -> None:
    preview, pools = onto_a100()
    base = parse(json.dumps(given()))  # its configuration has the pool with the preset gke/nvidia-l4
    made = review(parse(json.dumps(preview)), pools, TODAY, base=base)
    assert made.gpus_before == Gpus(serving=Decimal(3), serving_cost=Decimal("2.13"))
    assert made.gpus_after == Gpus(serving=Decimal(3), serving_cost=Decimal("9.00"))
    assert "all the time: +6.87 USD per hour, +5,015 per month" in markdown(made)


def test_a_price_that_is_not_known_before_is_no_increase() -> None:
    preview, pools = onto_a100()
    page = markdown(review(parse(json.dumps(preview)), pools, TODAY))
    assert "USD per hour" not in page.split("### ")[0]
    assert (
        "Before: 3 GPUs without a price, for no node pool that they are on names an hourlyCost. "
        "The cost is without `Deployment ml-serving/model-serving`." in page
    )


def test_a_base_whose_node_pools_are_refused_has_no_prices() -> None:
    assert node_pools({"ml-platform:nodePools": '{"gpu": {"preset": "gke/none"}}'}) == {}
    assert node_pools({}) == {}


def test_gpus_that_are_not_known_yet_are_named_and_taken_from_nothing() -> None:
    preview = given()
    inputs = step(preview, "model-serving-deployment")["newState"]["inputs"]
    inputs["spec"]["replicas"] = UNKNOWN_TEXT
    page = markdown(reviewed(preview))
    assert "all the time" not in page
    assert "Not counted, for it is known after up: `Deployment ml-serving/model-serving`." in page
    container = inputs["spec"]["template"]["spec"]["containers"][0]
    del container["resources"]["limits"]["nvidia.com/gpu"], container["resources"]["requests"]["nvidia.com/gpu"]
    assert "Not counted" not in markdown(reviewed(preview))


def test_the_headline_tells_what_runs_always_from_what_runs_for_a_while() -> None:
    summary = markdown(reviewed(given())).splitlines()[3]
    assert "all the time: +2 GPUs, +1.42 USD per hour, +1,037 per month" in summary
    assert "while jobs run: +2 GPUs, +1.42 USD per hour" in summary


def test_a_quota_of_a_namespace_whose_use_is_not_known() -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "q", "namespace": "a"},
        "spec": {"hard": {"pods": "1"}},
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "a"},
        "spec": {"containers": [{"name": "c", "resources": UNKNOWN}]},
    }
    assert quota_use([], [quota, pod]) == ([], ["a"])


def quota_of_pods() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "q", "namespace": "a"},
        "spec": {"hard": {"pods": "1"}},
    }


def test_a_namespace_that_is_not_known_yet_is_said() -> None:
    elsewhere = service()
    elsewhere["metadata"]["namespace"] = UNKNOWN
    for before in ([], [elsewhere]):
        uses, unknown = quota_use(before, [quota_of_pods(), elsewhere])
        assert [use.key for use in uses] == ["pods"]
        assert unknown == ["the namespace of Deployment m"]
    nameless = {**quota_of_pods(), "metadata": {"name": UNKNOWN, "namespace": "a"}}
    assert quota_use([], [nameless]) == ([], ["a"])
    assert counted(elsewhere).serving == 2


def test_a_review_of_a_namespace_that_is_not_known_yet() -> None:
    preview = given()
    for changed in preview["steps"]:
        inputs = changed.get("newState", {}).get("inputs", {})
        if inputs.get("metadata", {}).get("namespace") == "ml-serving":
            inputs["metadata"]["namespace"] = UNKNOWN_TEXT
    said = "the quota of the namespace of "
    (note,) = [note for note in reviewed(preview).notes if note.startswith(said)]
    assert "Deployment model-serving" in note
    assert note.endswith(": values that it depends on are known after up")


def test_a_limit_range_is_read_as_the_cluster_does() -> None:
    """It need not be one that a team of this project could have."""
    limits: dict[str, Any] = {"type": "Container", "max": {"nvidia.com/gpu": "4"}}
    limit_range = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "l", "namespace": "a"},
        "spec": {"limits": [limits]},
    }
    quota = {**quota_of_pods(), "spec": {"hard": {"requests.nvidia.com/gpu": "8"}}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "a"},
        "spec": {"containers": [{"name": "c"}]},
    }
    ((use,), unknown) = quota_use([], [quota, limit_range, pod])
    assert use.after == 4
    assert unknown == []
    limits["max"] = {"nvidia.com/gpu": UNKNOWN}
    assert quota_use([], [quota, limit_range, pod]) == ([], ["a"])


@pytest.mark.parametrize(
    ("share", "drawn"),
    [("0", "░░░░░░░░░░ 0 %"), ("0.5", "█████░░░░░ 50 %"), ("1", "██████████ 100 %"), ("1.5", "██████████ 150 % ✗")],
)
def test_bar(share: str, drawn: str) -> None:
    assert bar(Decimal(share)) == drawn


def test_json_has_it_all() -> None:
    preview = given()
    step(preview, "finetune-job")["newState"]["inputs"]["spec"]["template"]["spec"]["serviceAccountName"] = "default"
    written = as_json(reviewed(preview))
    assert "<function" not in written
    made = json.loads(written)
    ((finding, severity, new),) = [found for found in made["findings"] if found[2]]
    assert (finding["rule"]["id"], severity, new) == ("own-service-account", "advisory", True)
    assert made["level"] == "look"
    assert made["counts"] == {"create": 2, "replace": 1, "update": 4}
    assert {use["key"] for use in made["quotas"]} >= {"requests.nvidia.com/gpu", "pods"}
    assert made["gpus_after"]["serving"] == 5
