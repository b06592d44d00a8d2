"""A model runs only if its file is the pinned one and asks for nothing but arithmetic (T-45)."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from moderation.detection import OPEN_NSFW, REGISTRY, Model, ModelUnavailable, load
from tests.moderation.detection.onnx import OUTSIDE, message, model, node, weights


@pytest.fixture
def pinned(tmp_path: Path):
    def make(data: bytes) -> Model:
        path = tmp_path / "model.onnx"
        path.write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        return replace(OPEN_NSFW, path=path, sha256=digest)

    return make


def refusal(model: Model) -> str:
    with pytest.raises(ModelUnavailable) as caught:
        load(model)
    return caught.value.code


class TestLoad:
    def test_runs_a_pinned_file(self, pinned) -> None:
        values = np.array([1.5, -2], np.float32)

        (answer,) = load(pinned(model())).run(None, {"input": values})

        assert answer.tolist() == [1.5, -2]

    def test_refuses_another_file(self, pinned) -> None:
        changed = pinned(model())
        changed.path.write_bytes(model() + b"\0")

        assert refusal(changed) == "mismatch"

    @pytest.mark.parametrize("name", ["absent.onnx", ""])
    def test_refuses_no_file(self, tmp_path: Path, name: str) -> None:
        absent = replace(OPEN_NSFW, path=tmp_path / name)

        assert refusal(absent) == "missing"

    @pytest.mark.parametrize(
        "data",
        [
            b"no protocol buffer",
            b"",
            model()[:-3],
            b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            message(7, node("NoSuchOperator")) + message(8, b"\x10\x11"),
        ],
    )
    def test_refuses_a_damaged_file(self, pinned, data: bytes) -> None:
        assert refusal(pinned(data)) == "unreadable"

    @pytest.mark.parametrize(
        "content",
        [
            message(5, weights(place=OUTSIDE)),
            message(15, message(1, weights(place=OUTSIDE))),
            node("Constant", attributes=message(5, message(5, weights(place=OUTSIDE)))),
            node(
                "If",
                attributes=message(5, message(6, message(5, weights(place=OUTSIDE)))),
            ),
        ],
        ids=["initializer", "sparse", "constant", "branch"],
    )
    def test_refuses_weights_in_another_file(self, pinned, content: bytes) -> None:
        assert refusal(pinned(model(node("Identity"), content))) == "unsafe"

    @pytest.mark.parametrize(
        "data",
        [
            model(domain="com.example"),
            model(node("Identity", domain="com.example")),
            model(
                node("If", attributes=message(5, message(6, node("X", domain="com.x"))))
            ),
        ],
        ids=["operator set", "node", "branch"],
    )
    def test_refuses_operators_of_others(self, pinned, data: bytes) -> None:
        assert refusal(pinned(data)) == "unsafe"

    def test_reads_the_file_once_per_process(
        self, pinned, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ours = pinned(model())
        session = load(ours)
        ours.path.unlink()

        assert load(ours) is session
        monkeypatch.setattr(os, "getpid", lambda: 1)  # as after a fork
        assert refusal(ours) == "missing"

    def test_uses_one_thread_and_waits_without_spinning(self, pinned) -> None:
        options = load(pinned(model())).get_session_options()

        assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
        spinning = options.get_session_config_entry("session.intra_op.allow_spinning")
        assert spinning == "0"


class TestRegistry:
    @pytest.mark.parametrize("name", sorted(REGISTRY))
    def test_holds_models_that_load_and_say_what_they_are(self, name: str) -> None:
        entry = REGISTRY[name]

        assert load(entry).get_inputs()
        assert entry.name == name
        assert entry.licence
        assert len(entry.card) > 200

    def test_a_refusal_does_not_name_the_path(self, tmp_path: Path) -> None:
        with pytest.raises(ModelUnavailable) as caught:
            load(replace(OPEN_NSFW, path=tmp_path / "absent.onnx"))

        assert str(caught.value) == "The file of the model open_nsfw cannot be read."
