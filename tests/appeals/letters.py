"""Reading what a notice says."""

import json

from moderation.models import Notice
from moderation.storage import open_text


def read(notice: Notice) -> tuple[str, str]:
    words = json.loads(open_text(notice.text_sealed, "notice"))
    return words["subject"], words["body"]
