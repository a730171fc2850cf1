import base64
import io

import pytest
from PIL import Image

from syncxr.chat.messages import data_url, image_message, text_message


def film(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (4, 3), 77).save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_the_image_comes_first_and_whole(kind: str) -> None:
    message = image_message([film(kind)], "Is it frontal?")
    image, question = message["content"]
    head, _, data = image["image_url"]["url"].partition(",")
    assert head == f"data:image/{kind.lower()};base64"
    assert base64.b64decode(data) == film(kind)
    assert question == {"type": "text", "text": "Is it frontal?"}


def test_other_files_are_refused() -> None:
    with pytest.raises(ValueError, match="PNG or JPEG"):
        data_url(b"GIF89a")


def test_roles() -> None:
    assert text_message("Hello", "system") == {"role": "system", "content": "Hello"}
