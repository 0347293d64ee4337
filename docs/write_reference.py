"""Writes the reference of all arguments from the models that define them.

python -m docs.write_reference   write docs/reference/*.md

Names, types and examples come from the models' JSON Schema, defaults from the models, and the text from the
docstring below each argument.
"""

from collections.abc import Mapping
from pathlib import Path

import pulumi

from components.base.arguments import Arguments
from components.base.docstrings import attribute_docs, markdown
from components.pod.presets import PRESETS
from config import StackSettings
from config.settings import NodePoolSettings
from docs.reference_arguments import arguments_of, split_mutability, table
from docs.reference_models import PAGES, SHARED, Page, files, models_in

FOLDER = Path(__file__).resolve().parent / "reference"

_INDEX = """\
# Arguments

Names are spelled as in a stack's YAML. In Python the same arguments are in snake case (`nodePool` is `node_pool`), and
a nested argument is a model or a plain dict.

The columns of the tables:

- **type**: `quantity` is a Kubernetes quantity such as `500m` or `8Gi`. Where it adds *or Output*, a Python program may
  pass a `pulumi.Output`; every other value must be known before the deployment. A *name of a team* or *of a node
  pool* refers to the same stack; Python programs pass the `TeamNamespace` or the `NodePool` instead.
- **default**: what applies if the argument is not set; *required* if there is no default.
- **on change**: what a change of the value does.
    - *in place*: the object is updated, and its pods keep running.
    - *rolls the pods*: the Deployment replaces its pods, one after another.
    - *new run*: an existing run's pod template is immutable. The change is rejected until `runId` changes, too.
    - *replaces*: the object is deleted, and created again.

See also the [errors](errors.md) that invalid arguments cause, and the [policy rules](policy-rules.md) that objects
have to satisfy.

## A stack

| key | value | arguments of each |
| --- | --- | --- |
"""


def pages() -> dict[str, str]:
    """File name → content of every page."""
    where = files()
    content = {"index.md": _index()}
    for page in PAGES:
        nested = [model for model, file in where.items() if file == page.file and model is not page.model]
        arguments = list(arguments_of(page.model, page.file, _links(where, page.file)))
        parts = [
            f"# {page.title}\n",
            *_introduction(page),
            *(_component(page.component) if page.component else []),
            *(_presets() if page.model is NodePoolSettings else []),
            "## Arguments\n",
            *table(arguments, linked=True),
            *(part for argument in arguments for part in argument.section()),
            *(part for model in nested for part in _nested(model, page.file, where)),
        ]
        content[page.file] = "\n".join(parts)
    shared = [model for model, file in where.items() if file == SHARED]
    content[SHARED] = "\n".join(
        [
            "# Types of both workloads\n",
            "Training jobs and model services both take these.\n",
            *(part for model in shared for part in _nested(model, SHARED, where)),
        ]
    )
    return {file: text.rstrip() + "\n" for file, text in content.items()}


def _index() -> str:
    titles = {page.model: page for page in PAGES}
    rows = []
    for field in StackSettings.model_fields.values():
        (model,) = models_in(field.annotation)
        page = f"[{titles[model].title}]({titles[model].file})"
        text = " ".join(markdown(field.description).split())
        rows.append(f"| `ml-platform:{field.alias}` | {text} | {page} |")
    shared = f"[Types of both workloads]({SHARED}) has those that training jobs and model services share."
    return _INDEX + "\n".join([*rows, "", shared])


def _introduction(page: Page) -> list[str]:
    """The model's docstring, without the sentence that only names its component."""
    text, _ = split_mutability(markdown(page.model.__doc__))
    text = text.removeprefix(f"Arguments of a {page.title}.").strip()
    return [f"{text}\n"] if text else []


def _component(component: type[pulumi.ComponentResource]) -> list[str]:
    """What a component creates, and its attributes."""
    attributes = attribute_docs(component).items()
    outputs = [f"- `{name}`: {' '.join(markdown(text).split())}" for name, text in attributes]
    return ["## What it creates\n", f"{markdown(component.__doc__)}\n", "Attributes in Python:\n", *outputs, ""]


def _presets() -> list[str]:
    rows = [
        f"| `{name}` | `{label}: {value}` | `{_taint(preset['tolerations'][0])}` | `{preset['gpuResource']}` |"
        for name, preset in PRESETS.items()
        for label, value in preset["nodeSelector"].items()
    ]
    head = ["| preset | node selector | tolerated taint | GPU resource |", "| --- | --- | --- | --- |"]
    return ["## Presets\n", *head, *rows, ""]


def _taint(toleration: Mapping[str, str]) -> str:
    value = f"={toleration['value']}" if "value" in toleration else ""
    return f"{toleration['key']}{value}:{toleration['effect']}"


def _links(where: Mapping[type[Arguments], str], file: str) -> dict[str, str]:
    """The addresses of all models by name, as seen from a page."""
    return {
        model.__name__: f"{'' if its == file else its}#type-{model.__name__.lower()}" for model, its in where.items()
    }


def _nested(model: type[Arguments], file: str, where: Mapping[type[Arguments], str]) -> list[str]:
    text, _ = split_mutability(markdown(model.__doc__))
    arguments = list(arguments_of(model, file, _links(where, file)))
    sections = (part for argument in arguments for part in argument.section())
    return [f"## Type: {model.__name__}\n", f"{text}\n", *table(arguments, linked=False), *sections]


def main() -> None:
    """Write all pages."""
    FOLDER.mkdir(exist_ok=True)
    for file, content in pages().items():
        (FOLDER / file).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
