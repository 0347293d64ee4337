"""The kubeconfig of the stack's provider."""

from pathlib import Path

import pytest

from review.cluster.kubeconfig import kubeconfig
from review.cluster.kubectl import UnansweredError

CONTENT = "apiVersion: v1\nkind: Config\nclusters: []\nusers: [{name: u, user: {token: swordfish}}]\n"
KEY = "kubernetes:kubeconfig"


def test_without_a_setting_there_is_no_file() -> None:
    with kubeconfig({}) as file:
        assert file is None


def test_a_path_is_used_as_it_is(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("", encoding="utf-8")
    with kubeconfig({KEY: str(own)}) as file:
        assert file == own
    assert own.exists()


def test_a_path_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "own").touch()
    with kubeconfig({KEY: "~/own"}) as file:
        assert file == tmp_path / "own"


@pytest.mark.parametrize("content", [CONTENT, '{"clusters": [], "users": []}' + " " * 5000])
def test_content_is_written_to_a_temporary_file_of_its_owner(content: str) -> None:
    with kubeconfig({KEY: content}) as file:
        assert file is not None
        assert file.read_text(encoding="utf-8") == content
        assert file.stat().st_mode & 0o077 == file.parent.stat().st_mode & 0o077 == 0
    assert not file.exists()


@pytest.mark.parametrize("value", ["[secret]", "/nowhere/swordfish", "{swordfish", "a: b\nc: swordfish\n"])
def test_an_unusable_kubeconfig(value: str) -> None:
    with pytest.raises(UnansweredError, match=r"^kubernetes:kubeconfig is ") as raised, kubeconfig({KEY: value}):
        pass
    assert "swordfish" not in str(raised.value)
