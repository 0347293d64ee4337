"""The comment of a review on a pull request, with a stand-in for GitHub's client."""

import os
import subprocess
from pathlib import Path

import pytest

from review.render import marker
from tests.ci.repository import PROJECT
from tests.review.programs import stand_in

MARKER = marker("prod")


def commented(existing: str, page: str | None, folder: Path) -> tuple[str, str]:
    """The call of GitHub's client and the comment, if the stack has an existing comment with an id, or none."""
    stand_in(
        folder,
        "gh",
        f"""case "$*" in
  *--paginate*) echo "$*" >query; echo {existing} ;;
  *) echo "$3 $4" >call; cp "${{6#body=@}}" comment ;;
esac""",
    )
    if page is not None:
        (folder / "page.md").write_text(page, encoding="utf-8")
    environment = {
        **os.environ,
        "PATH": f"{folder}:{os.environ['PATH']}",
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_RUN_ID": "5",
    }
    subprocess.run([str(PROJECT / ".ci" / "comment"), "3", "page.md", "prod"], cwd=folder, env=environment, check=True)
    assert f'startswith("{MARKER}")' in (folder / "query").read_text(encoding="utf-8")
    call = (folder / "call").read_text(encoding="utf-8").strip()
    return call, (folder / "comment").read_text(encoding="utf-8")


CALLS = [("7", "PATCH repos/o/r/issues/comments/7"), ("", "POST repos/o/r/issues/3/comments")]


@pytest.mark.parametrize(("existing", "call"), CALLS)
def test_an_existing_comment_is_updated(existing: str, call: str, tmp_path: Path) -> None:
    page = f"{MARKER}\n## prod\n"
    assert commented(existing, page, tmp_path) == (call, page)


@pytest.mark.parametrize(("existing", "call"), CALLS)
@pytest.mark.parametrize("page", ["", None])
def test_without_a_page_the_comment_of_another_commit_is_replaced(
    page: str | None, existing: str, call: str, tmp_path: Path
) -> None:
    """The review failed, or the run ended before it."""
    actual, comment = commented(existing, page, tmp_path)
    assert actual == call
    first, second, *_ = comment.splitlines()
    assert first == MARKER
    assert second.startswith("## prod: ❌ ")
    assert "(https://github.example/o/r/actions/runs/5)" in comment
