"""Restricted data stays home: not one connection is made to a host that is not trusted."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import tiny_mimic

from syncxr.config import Config
from syncxr.corpora import table
from syncxr.corpora.mimic import TERMS
from syncxr.corpora.terms import Terms
from syncxr.entities.bank import Bank
from syncxr.entities.plan import Plan
from syncxr.errors import SyncxrError
from syncxr.factory.home import check_backends, leave_terms, terms_of
from syncxr.pipeline import run_audit, run_curate, run_draft, run_generate, run_plan, run_render

BANK = "entity\npleural effusion\nno pneumothorax\nno edema\nheart\nleft base\n"
FREE = Terms(source="somebody", licence="CC-BY-4.0")


class Server:
    """A chat server that answers any question with yes, and counts who comes."""

    def __init__(self, address: str) -> None:
        self.connections = 0
        counted = self

        class Handler(BaseHTTPRequestHandler):
            def setup(self) -> None:
                counted.connections += 1
                super().setup()

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                choice = {
                    "index": 0,
                    "message": {"role": "assistant", "content": "yes"},
                    "finish_reason": "stop",
                }
                body = json.dumps(
                    {"id": "1", "object": "chat.completion", "created": 0, "model": "m"}
                    | {"choices": [choice]}
                ).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = HTTPServer((address, 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def own_address() -> str:
    """An address of this machine that is not loopback, as another machine's would look."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET; nothing is sent.
        except OSError:
            pytest.skip("this machine has no address but loopback")
        address = str(probe.getsockname()[0])
    if address.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    return address


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server("0.0.0.0")
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def chatting(host: str, port: int, **more: Any) -> Config:
    backend = {"name": "chat", "base_url": f"http://{host}:{port}/v1", "model": "m", "retries": 0}
    return Config.model_validate(
        {
            "writer": backend,
            "judge": backend,
            "drafting": {"strategy": "two-step"},
            "sampling": {"pairs": 2, "k": 1, "m": 1, "tau_max": "auto"},
            "factory": {"draft_attempts": 1, "film_attempts": 1},
            "renderer": {"name": "simulation", "size": 64},
            "execution": {"workers": 1},
            **more,
        }
    )


def restricted(folder: Path, terms: Terms | None = TERMS) -> tuple[Path, Path]:
    """A bank and a plan derived from a corpus."""
    (folder / "bank.csv").write_text(BANK)
    bank, plan = folder / "bank.parquet", folder / "plan.parquet"
    Bank(Bank.read(folder / "bank.csv").entries, terms).write(bank)
    config = Config.model_validate({"sampling": {"pairs": 2, "k": 1, "m": 1, "tau_max": "auto"}})
    run_plan(config, bank, plan, None)
    assert Plan.read(plan).terms == terms
    return bank, plan


def test_no_request_is_made_for_restricted_data(server: Server, tmp_path: Path) -> None:
    config = chatting(own_address(), server.port)
    bank, plan = restricted(tmp_path)
    corpus = tiny_mimic.build(tmp_path / "mimic")
    films = corpus / "files" / "p10"
    out = tmp_path / "out"
    for attempt in (
        lambda: run_audit(config, str(corpus), out / "audit"),
        lambda: run_generate(config, out / "generate", bank),
        lambda: run_generate(
            config.model_copy(update={"corpus": str(corpus)}), out / "generate-corpus"
        ),
        lambda: run_draft(config, plan, out / "draft"),
        lambda: run_curate(config, films, out / "curate"),
    ):
        with pytest.raises(SyncxrError, match="must stay home .*; use a server on this machine"):
            attempt()
    assert server.connections == 0
    assert list(out.glob("*/entities")) == [] and not (out / "audit").exists()


def test_the_same_data_goes_to_loopback(server: Server, tmp_path: Path) -> None:
    corpus = tiny_mimic.build(tmp_path / "mimic")
    summary = run_audit(chatting("127.0.0.1", server.port), str(corpus), tmp_path / "out")
    assert server.connections > 0
    assert summary.films is not None and summary.films.films == 8


def test_and_to_a_host_that_is_trusted(server: Server, tmp_path: Path) -> None:
    host = own_address()
    config = chatting(host, server.port, trusted_hosts=[host])
    run_audit(config, str(tiny_mimic.build(tmp_path / "mimic")), tmp_path / "out")
    assert server.connections > 0


def test_free_data_may_go_anywhere(server: Server, tmp_path: Path) -> None:
    config = chatting(own_address(), server.port)
    _, plan = restricted(tmp_path, FREE)
    run_draft(config, plan, tmp_path / "out")
    assert server.connections > 0


def test_ones_own_reports_and_films_stay_home_too(server: Server, tmp_path: Path) -> None:
    config = chatting(own_address(), server.port)
    (tmp_path / "r.csv").write_text("text\nEdema.\n")
    with pytest.raises(SyncxrError, match="the judge would send data"):
        run_render(config, tmp_path / "r.csv", tmp_path / "out", judge=True)
    assert server.connections == 0


def test_a_bucket_and_a_cluster_are_hosts_too(tmp_path: Path) -> None:
    for place in ("s3://bucket/run", "ray://head.example.org:10001"):
        with pytest.raises(SyncxrError, match="the run would send data to"):
            check_backends(TERMS, (), {}, place)
        check_backends(FREE, (), {}, place)
        check_backends(TERMS, ("bucket", "head.*"), {}, place)
    check_backends(TERMS, (), {}, tmp_path)


def test_terms_go_from_hand_to_hand(tmp_path: Path) -> None:
    bank, plan = restricted(tmp_path)
    assert terms_of(bank) == terms_of(plan) == TERMS
    run = tmp_path / "run"
    (run / "dataset").mkdir(parents=True)
    assert terms_of(run) == table.TERMS, "a folder of nobody knows what"
    (run / "config.yaml").write_text("")
    assert terms_of(run) is None
    leave_terms(TERMS, run)
    assert terms_of(run) == terms_of(run / "dataset") == TERMS
    assert terms_of(tmp_path / "bank.csv") is None
    assert terms_of(tmp_path / "bank.csv", csv=table.TERMS) == table.TERMS


def test_films_of_mimic_are_known_from_any_part_of_it(tmp_path: Path) -> None:
    corpus = tiny_mimic.build(tmp_path)
    for part in (corpus, corpus / "files", corpus / "files" / "p10" / "p10000032"):
        assert terms_of(part) == TERMS


def test_a_dataset_carries_the_strictest_licence(tmp_path: Path) -> None:
    bank, _ = restricted(tmp_path)
    run = tmp_path / "run"
    config = chatting("localhost", 1, writer={"name": "llamacpp"}, judge={"name": "inspector"})
    config = config.model_copy(update={"drafting": Config().drafting})
    run_generate(config, run, bank)
    card = (run / "dataset" / "README.md").read_text()
    assert TERMS.licence in card and "license: other" in card
    assert terms_of(run / "dataset") == TERMS
    croissant = json.loads((run / "dataset" / "croissant.json").read_text())
    assert croissant["license"] == TERMS.licence
