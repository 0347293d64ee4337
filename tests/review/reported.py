"""Messages of Kubernetes."""

RESTRICTED = (
    'Error creating: pods "bert-5d-x" is forbidden: violates PodSecurity "restricted:latest": '
    'allowPrivilegeEscalation != false (container "server" must set securityContext.allowPrivilegeEscalation=false)'
)
FULL = (
    'Error creating: pods "bert-5d-x" is forbidden: exceeded quota: ml-serving-quota, '
    "requested: requests.nvidia.com/gpu=1, used: requests.nvidia.com/gpu=8, limited: requests.nvidia.com/gpu=8"
)
