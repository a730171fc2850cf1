"""A small server that speaks the OpenAI chat protocol and answers questions about films.

Run as a process of its own: ``python judge_server.py MODE LOG``. It prints its port; LOG gets one
JSON line a request. Modes:

``likely``     yes and no with log-probabilities, several spellings of each
``plain``      knows no log-probabilities
``refusing``   answers 400 to whoever asks for log-probabilities
``wordy``      never says yes or no
``hesitant``   says something else to every request at temperature 0
``partly``     cannot answer about bright films
``broken``     JSON that is cut off, then JSON with a wrong word, then a right one
``FOLDER``     a vision-language model of transformers
"""

from __future__ import annotations

import base64
import io
import json
import math
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

QUESTIONS = ("chest", "human", "frontal", "quality", "artefact_free", "fidelity")


@dataclass
class Running:
    """A running server: where it is and what it has been asked."""

    url: str
    log: Path

    def requests(self) -> list[dict[str, Any]]:
        """Bodies of all requests, in order of arrival."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@contextmanager
def serving(mode: str, log: Path) -> Iterator[Running]:
    """A server in a process of its own, for the time of the block."""
    with subprocess.Popen(
        [sys.executable, __file__, mode, str(log)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        log.touch()
        try:
            port = int(process.stdout.readline())
            yield Running(f"http://127.0.0.1:{port}/v1", log)
        finally:
            process.kill()


def likelihood(brightness: float, question: int) -> float:
    """Probability of yes that the modes with an opinion give: another for each question."""
    chance = 0.1 + 0.8 * brightness / 255
    return chance * (1 - 0.03 * question)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    mode = ""
    log: Path
    model: Any = None
    calls = 0

    def log_message(self, *args: Any) -> None:
        """Stay silent."""

    def do_POST(self) -> None:
        """Answer a chat completion."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        image, text = body["messages"][0]["content"]
        assert image["type"] == "image_url" and text["type"] == "text"
        data = image["image_url"]["url"].removeprefix("data:image/png;base64,")
        film = np.asarray(Pillow.open(io.BytesIO(base64.b64decode(data))))
        body["film"] = [list(film.shape), float(film.mean())]
        del image["image_url"]
        with type(self).log.open("a") as stream:
            stream.write(json.dumps(body) + "\n")
        type(self).calls += 1
        if self.mode == "refusing" and body.get("logprobs"):
            self._send(400, {"error": {"message": "logprobs are not supported"}})
            return
        said, tokens = self._say(film, text["text"], body)
        choice: dict[str, Any] = {
            "index": 0,
            "message": {"role": "assistant", "content": said},
            "finish_reason": "length" if body["max_tokens"] == 1 else "stop",
        }
        if body.get("logprobs") and tokens:
            choice["logprobs"] = {"content": tokens}
        self._send(200, {"id": "1", "object": "chat.completion", "choices": [choice]})

    def _say(self, film: NDArray[np.uint8], text: str, body: dict[str, Any]) -> tuple[str, Any]:
        bright = float(film.mean())
        whole = "response_format" in body
        if self.model is not None:
            return self.model(film, text)
        if self.mode == "wordy" or (self.mode == "hesitant" and body["temperature"] == 0):
            return ("Hard" if body["max_tokens"] == 1 else "Hard to say"), []
        if self.mode == "partly" and bright > 127:
            return "Perhaps", []
        if whole:
            return self._object(bright)
        chance = likelihood(bright, self._number(text))
        said = "Yes" if chance > 0.5 else "No"
        return said, [] if self.mode == "plain" else [_token(said, chance)]

    def _object(self, bright: float) -> tuple[str, Any]:
        chances = [likelihood(bright, number) for number in range(len(QUESTIONS))]
        words = ["yes" if chance > 0.5 else "no" for chance in chances]
        said = json.dumps(dict(zip(QUESTIONS, words, strict=True)))
        if self.mode == "broken" and self.calls % 3 == 1:
            return said[:30], []
        if self.mode == "broken" and self.calls % 3 == 2:
            return said.replace('"yes"', '"maybe"').replace('"no"', '"maybe"'), []
        tokens = []
        for number, (question, word) in enumerate(zip(QUESTIONS, words, strict=True)):
            opening = "{" if number == 0 else " "
            tokens += [_sure(f'{opening}"{question}"'), _sure(":"), _sure(' "')]
            tokens += [_token(word, chances[number]), _sure('"')]
            tokens += [_sure("}" if number == len(QUESTIONS) - 1 else ",")]
        assert "".join(token["token"] for token in tokens) == said
        return said, [] if self.mode == "plain" else tokens

    @staticmethod
    def _number(text: str) -> int:
        from syncxr.curation.questions import load_wording

        wording = load_wording()
        return [wording.each(question) for question in QUESTIONS].index(text)

    def _send(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _token(said: str, chance: float) -> dict[str, Any]:
    """The likeliest tokens: both words in two spellings, and a third thing of 10 %."""
    mass = {
        "Yes": 0.6 * 0.9 * chance,
        "yes": 0.4 * 0.9 * chance,
        "No": 0.7 * 0.9 * (1 - chance),
        "no": 0.3 * 0.9 * (1 - chance),
        "The": 0.1,
    }
    top = [{"token": text, "logprob": math.log(value)} for text, value in mass.items()]
    return {"token": said, "logprob": math.log(mass[said]), "top_logprobs": top}


def _sure(text: str) -> dict[str, Any]:
    return {"token": text, "logprob": 0.0, "top_logprobs": [{"token": text, "logprob": 0.0}]}


class _Model:
    """A model of transformers that is asked for its next token."""

    def __init__(self, folder: str) -> None:
        import torch
        from transformers import AutoModelForImageTextToText, AutoProcessor

        torch.set_num_threads(1)
        self.processor = AutoProcessor.from_pretrained(folder)
        self.model = AutoModelForImageTextToText.from_pretrained(folder).eval()

    def __call__(self, film: NDArray[np.uint8], text: str) -> tuple[str, Any]:
        import tiny_internvl
        import torch

        inputs = tiny_internvl.encode(self.processor, [(film, text)])
        with torch.inference_mode():
            logits = self.model(**inputs, logits_to_keep=1).logits[0, -1]
        likeliest = torch.log_softmax(logits, -1).topk(20)
        top = [
            {"token": self.processor.tokenizer.decode([int(id)]), "logprob": float(value)}
            for value, id in zip(likeliest.values, likeliest.indices, strict=True)
        ]
        return top[0]["token"], [{**top[0], "top_logprobs": top}]


def main() -> None:
    """Serve until killed."""
    Handler.mode, Handler.log = sys.argv[1], Path(sys.argv[2])
    if Path(Handler.mode).is_dir():
        Handler.model = _Model(Handler.mode)
    ThreadingHTTPServer.request_queue_size = 128
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
