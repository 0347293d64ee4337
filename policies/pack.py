"""The policy pack: a server of Pulumi's analyzer protocol.

It uses the protocol classes of the Pulumi SDK. The package ``pulumi-policy`` is no alternative: it requires a version
of protobuf below the one that this project locks, does not pass on the stack's configuration, which holds severities
and exceptions, and skips a whole policy if one value is unknown.
"""

import sys
import threading
from collections.abc import Iterable, Mapping
from concurrent import futures
from datetime import date
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import analyzer_pb2 as proto
from pulumi.runtime.proto import analyzer_pb2_grpc, plugin_pb2

from components.base.objects import UNKNOWN, Manifest
from policies.rule import RULES, Finding
from policies.settings import PolicySettings, PolicySettingsError

NAME, VERSION = "ml-platform", "1.0.0"

_LEVELS = {"mandatory": proto.MANDATORY, "advisory": proto.ADVISORY, "disabled": proto.DISABLED}
# The markers of a secret value in the protocol.
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105
# In bytes. A stack of a thousand large objects is one message.
_MESSAGE_SIZE = 400 << 20


class Pack(analyzer_pb2_grpc.AnalyzerServicer):
    """The analyzer: the engine sends it each resource, and then the whole stack."""

    def __init__(self, today: date) -> None:
        self._today = today
        self._settings = PolicySettings()
        self._invalid_settings: str | None = None
        """The errors of the settings, reported by AnalyzeStack: ConfigureStack cannot fail."""

        self._inputs: dict[str, Manifest] = {}
        """The inputs of each resource by URN. AnalyzeStack receives outputs instead, in which defaults of the API
        server look like values that the program has set."""

        self._lock = threading.Lock()

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Accept the connection."""
        return proto.AnalyzerHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Return the version of the pack."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetAnalyzerInfo(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Return the rules."""
        infos = [
            proto.PolicyInfo(
                name=rule.id,
                description=rule.reason,
                message=rule.fix,
                remediation_steps=rule.fix,
                enforcementLevel=_LEVELS[rule.level],
                policy_type=proto.POLICY_TYPE_STACK if rule.whole_stack else proto.POLICY_TYPE_RESOURCE,
            )
            for rule in RULES.values()
        ]
        return proto.AnalyzerInfo(name=NAME, version=VERSION, supportsConfig=True, policies=infos)

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Ignore the configuration of the pack: the settings are part of the stack's configuration."""
        return empty_pb2.Empty()

    def ConfigureStack(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Read severities and exceptions from the stack's configuration."""
        try:
            self._settings = PolicySettings.parse(request.config)
        except PolicySettingsError as error:
            self._invalid_settings = str(error)
        return proto.AnalyzerStackConfigureResponse()

    def Analyze(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Evaluate the rules for single objects against one resource."""
        if not request.type.startswith("kubernetes:"):
            return proto.AnalyzeResponse()
        manifest, secrets = plain(request.properties)
        if "kind" not in manifest or "apiVersion" not in manifest:  # a provider
            return proto.AnalyzeResponse()
        with self._lock:
            self._inputs[request.urn] = manifest
        findings = self._findings([manifest], whole_stack=False)
        return proto.AnalyzeResponse(diagnostics=[self._diagnostic(f, request.urn, secrets) for f in findings])

    def AnalyzeStack(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Evaluate the rules that depend on several objects against the whole stack."""
        diagnostics = []
        if self._invalid_settings:
            diagnostics.append(
                proto.AnalyzeDiagnostic(
                    policyName="settings",
                    policyPackName=NAME,
                    policyPackVersion=VERSION,
                    description="the settings of the rules must be valid",
                    message=self._invalid_settings,
                    enforcementLevel=proto.MANDATORY,
                )
            )
        present = {resource.urn: plain(resource.properties)[1] for resource in request.resources}
        manifests = {urn: self._inputs[urn] for urn in present if urn in self._inputs}
        for urn, manifest in manifests.items():
            for finding in self._findings([manifest], list(manifests.values()), whole_stack=True):
                diagnostics.append(self._diagnostic(finding, urn, present[urn]))
        return proto.AnalyzeResponse(diagnostics=diagnostics)

    def Remediate(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Change nothing: findings are fixed in the stack's file, where a reviewer sees the change."""
        return proto.RemediateResponse()

    def _findings(
        self, manifests: list[Manifest], stack: list[Manifest] | None = None, *, whole_stack: bool
    ) -> list[Finding]:
        evaluation = self._settings.evaluate(manifests, stack or [], self._today)
        return [finding for finding in evaluation.findings if finding.rule.whole_stack == whole_stack]

    def _diagnostic(self, finding: Finding, urn: str, secrets: Iterable[str]) -> Any:
        text = f"{finding.target}: {finding.message}"
        for secret in secrets:
            text = text.replace(secret, "[secret]")
        return proto.AnalyzeDiagnostic(
            policyName=finding.rule.id,
            policyPackName=NAME,
            policyPackVersion=VERSION,
            description=finding.rule.reason,
            message=f"{text}\n{finding.rule.reason}\n{finding.rule.fix}",
            urn=urn,
            enforcementLevel=_LEVELS[self._settings.level(finding.rule)],
        )


def plain(properties: struct_pb2.Struct) -> tuple[Manifest, set[str]]:
    """A resource's properties as a manifest, and the secret texts in it."""
    secrets: set[str] = set()
    return _plain(json_format.MessageToDict(properties), secrets, secret=False), secrets


def _plain(value: Any, secrets: set[str], *, secret: bool) -> Any:
    if isinstance(value, Mapping):
        if value.get(_SIGNATURE) == _SECRET:
            return _plain(value.get("value"), secrets, secret=True)
        return {key: _plain(item, secrets, secret=secret) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, secrets, secret=secret) for item in value]
    if isinstance(value, float) and value.is_integer():  # JSON has one type of number
        return int(value)
    if value == rpc.UNKNOWN:
        return UNKNOWN
    if secret and isinstance(value, str) and value:
        secrets.add(value)
    return value


def serve() -> None:
    """Serve the engine until it terminates the process."""
    options = [("grpc.max_receive_message_length", _MESSAGE_SIZE)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), options=options)
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Pack(date.today()), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")  # the engine reads the port from stdout
    sys.stdout.flush()
    server.wait_for_termination()
