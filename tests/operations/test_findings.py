import pytest

from syncxr.errors import SyncxrError
from syncxr.operations.findings import Finding, Secrets, fault


def finding(detail: str, remedy: str = "") -> Finding:
    return Finding(group="g", name="n", state="fault", detail=detail, remedy=remedy)


def test_a_fault_of_the_user_brings_its_remedy() -> None:
    found = fault("g", "n", SyncxrError("model x; y is not there; give a folder"))
    assert (found.detail, found.remedy) == ("model x; y is not there", "give a folder")


def test_every_fault_has_a_remedy() -> None:
    assert fault("g", "n", SyncxrError("no remedy is known")).remedy
    other = fault("g", "n", ValueError("first line\nsecond line"))
    assert other.detail == "ValueError: first line" and other.remedy
    assert fault("g", "n", RuntimeError()).detail == "RuntimeError: RuntimeError"


@pytest.mark.parametrize(
    ("environment", "configuration"),
    [
        ({"OPENAI_API_KEY": "hush-hush-1"}, {}),
        ({"MY_SERVER": "hush-hush-1"}, {"judge": {"api_key_env": "MY_SERVER"}}),
        ({"AWS_SECRET_ACCESS_KEY": "hush-hush-1"}, {}),
        ({"HF_TOKEN": "hush-hush-1"}, {}),
        ({}, {"writer": {"api_key": "hush-hush-1"}}),
        ({}, {"writer": {"inner": [{"password": "hush-hush-1"}]}}),
    ],
)
def test_no_secret_is_shown(environment: dict[str, str], configuration: object) -> None:
    hidden = Secrets(environment, configuration).hide(
        finding("refused, you said hush-hush-1", "not hush-hush-1")
    )
    assert "hush" not in hidden.model_dump_json()
    assert "[" in hidden.detail, "the reader sees that something stood there"


def test_a_secret_within_another_is_hidden_with_it() -> None:
    secrets = Secrets({"A_KEY": "secret-one", "B_KEY": "secret-one-and-two"})
    assert secrets.hide(finding("secret-one-and-two")).detail == "[B_KEY]"


def test_passwords_in_addresses_are_hidden() -> None:
    hidden = Secrets({}).hide(finding("http://me:hush@host:80/v1 and s3://bucket/run"))
    assert hidden.detail == "http://…@host:80/v1 and s3://bucket/run"


def test_harmless_words_stay() -> None:
    secrets = Secrets({"API_KEY": "none", "HOME": "/home/somebody"})
    assert secrets.hide(finding("none of /home/somebody")).detail == "none of /home/somebody"
