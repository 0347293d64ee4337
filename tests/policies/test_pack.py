"""The policy pack, as the engine calls it."""

from datetime import date
from typing import Any

from google.protobuf import json_format, struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import analyzer_pb2 as proto

from components.base.objects import UNKNOWN, Manifest
from policies import RULES
from policies.pack import VERSION, Pack, plain
from tests.edits import edited, put
from tests.policies.cases import MAIN, VALID

TODAY = date(2026, 6, 1)
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": "hunter2/bert"}


def struct(value: Any) -> struct_pb2.Struct:
    return json_format.ParseDict(value, struct_pb2.Struct())


def analyzed(pack: Pack, manifest: Manifest) -> Any:
    urn = f"urn::{manifest['kind']}"
    return pack.Analyze(
        proto.AnalyzeRequest(type=f"kubernetes:v1:{manifest['kind']}", urn=urn, properties=struct(manifest)), None
    ).diagnostics


def test_the_rules_are_listed() -> None:
    info = Pack(TODAY).GetAnalyzerInfo(None, None)
    assert [policy.name for policy in info.policies] == list(RULES)
    assert {p.name: (p.description, p.message) for p in info.policies} == {
        r.id: (r.reason, r.fix) for r in RULES.values()
    }


def test_numbers_unknown_values_and_secrets_are_decoded() -> None:
    manifest, secrets = plain(struct({"replicas": 3, "half": 0.5, "image": rpc.UNKNOWN, "list": [SECRET]}))
    assert (manifest["replicas"], manifest["half"], manifest["list"]) == (3, 0.5, ["hunter2/bert"])
    assert isinstance(manifest["replicas"], int)
    assert manifest["image"] is UNKNOWN
    assert secrets == {"hunter2/bert"}


def test_a_diagnostic_states_the_finding_the_reason_and_the_fix() -> None:
    (diagnostic,) = analyzed(Pack(TODAY), edited(VALID, put(f"{MAIN}/image", "bert:latest"))["Deployment"])
    rule = RULES["image-pinned"]
    assert (diagnostic.policyName, diagnostic.urn) == (rule.id, "urn::Deployment")
    first, *rest = diagnostic.message.splitlines()
    assert first.startswith("Deployment ml-serving/bert: ")
    assert rest == [rule.reason, rule.fix]


def test_a_diagnostic_hides_secrets() -> None:
    (diagnostic,) = analyzed(Pack(TODAY), edited(VALID, put(f"{MAIN}/image", SECRET))["Deployment"])
    assert diagnostic.policyName == "image-pinned"
    assert "[secret]" in diagnostic.message
    assert "hunter2" not in str(diagnostic)


def test_the_stack_is_analyzed_by_its_inputs() -> None:
    """The engine sends outputs, in which the API server has set defaults."""
    pack = Pack(TODAY)
    for manifest in VALID.values():
        assert list(analyzed(pack, manifest)) == []
    outputs = edited(VALID, put("StatefulSet/spec/replicas", 1))  # which an autoscaler manages
    resources = [proto.AnalyzerResource(urn=f"urn::{kind}", properties=struct(outputs[kind])) for kind in outputs]
    assert list(pack.AnalyzeStack(proto.AnalyzeStackRequest(resources=resources), None).diagnostics) == []


def test_rules_for_several_objects_are_checked_with_the_stack() -> None:
    pack = Pack(TODAY)
    invalid = edited(VALID, put("StatefulSet/spec/replicas", 1))
    for manifest in invalid.values():
        assert list(analyzed(pack, manifest)) == []
    resources = [proto.AnalyzerResource(urn=f"urn::{kind}", properties=struct(invalid[kind])) for kind in invalid]
    (diagnostic,) = pack.AnalyzeStack(proto.AnalyzeStackRequest(resources=resources), None).diagnostics
    assert (diagnostic.policyName, diagnostic.urn) == ("autoscaler-owns-replicas", "urn::StatefulSet")


def test_invalid_settings_are_reported_with_the_stack() -> None:
    pack = Pack(TODAY)
    pack.ConfigureStack(proto.AnalyzerStackConfigureRequest(config={"policies:severity": '{"no": "advisory"}'}), None)
    (diagnostic,) = pack.AnalyzeStack(proto.AnalyzeStackRequest(), None).diagnostics
    assert (diagnostic.policyName, diagnostic.enforcementLevel) == ("settings", proto.MANDATORY)
    assert diagnostic.message.startswith("policies:severity.no: ")


def test_resources_of_other_providers_and_providers_are_ignored() -> None:
    pack = Pack(TODAY)
    for kind in ("aws:s3:Bucket", "kubernetes:yaml:ConfigGroup"):
        request = proto.AnalyzeRequest(type=kind, urn="urn", properties=struct({"a": "b"}))
        assert list(pack.Analyze(request, None).diagnostics) == []


def test_the_engine_can_connect_and_nothing_is_remediated() -> None:
    pack = Pack(TODAY)
    assert pack.Handshake(None, None) == proto.AnalyzerHandshakeResponse()
    assert pack.GetPluginInfo(None, None).version == VERSION
    assert pack.Configure(None, None) is not None
    assert pack.Remediate(None, None) == proto.RemediateResponse()
