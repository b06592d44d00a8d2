"""What every adapter must do. A test module of a platform inherits this and says how its platform is reached."""

import pytest

from moderation.platforms import Confirmation, PlatformAdapter, PlatformError, Target
from moderation.platforms.sandbox import Sandbox

TARGET = Target(account_id="ana", content_id="post-1")
OTHER = Target(account_id="ben", content_id="post-2")
CONTENT_ACTIONS = [
    ("HOLD", "HELD"),
    ("RELEASE", "VISIBLE"),
    ("REMOVE", "REMOVED"),
    ("RESTORE", "VISIBLE"),
]


class AdapterContract:
    """Needs two fixtures: ``adapter``, and ``far``: the state of the platform at its other end."""

    @pytest.fixture(autouse=True)
    def _two_posts(self, far: Sandbox) -> None:
        Sandbox.hold(far, OTHER, "setting-up")
        Sandbox.release(far, TARGET, "setting-up-2")

    @pytest.mark.parametrize(("action", "state"), CONTENT_ACTIONS)
    def test_does_what_the_order_names_and_confirms_it(
        self, adapter: PlatformAdapter, far: Sandbox, action: str, state: str
    ) -> None:
        confirmation = adapter.apply(action, TARGET, "key-1")

        assert confirmation.state == state
        assert confirmation.at.tzinfo is not None
        assert state_of(far, TARGET) == state
        assert state_of(far, OTHER) == "HELD"

    def test_disables_and_enables_the_account_alone(
        self, adapter: PlatformAdapter, far: Sandbox
    ) -> None:
        disabled = adapter.apply("DISABLE_ACCOUNT", TARGET, "key-1")
        states = {one.id: one.state for one in far.accounts()}
        enabled = adapter.apply("ENABLE_ACCOUNT", TARGET, "key-2")

        assert (disabled.state, enabled.state) == ("DISABLED", "ACTIVE")
        assert states == {"ana": "DISABLED", "ben": "ACTIVE"}
        assert {one.state for one in far.accounts()} == {"ACTIVE"}

    def test_brings_words_unchanged_to_one_account(
        self, adapter: PlatformAdapter, far: Sandbox
    ) -> None:
        words = "Línea 1\n“نستعلیق” <b>&amp;</b>\n\nhttps://example.org/again/x/"

        confirmation = adapter.notify("ana", "Your post", words, "key-1")

        assert confirmation.state == "DELIVERED"
        assert [(one.subject, one.body) for one in far.inbox("ana")] == [
            ("Your post", words)
        ]
        assert far.inbox("ben") == []

    def test_does_a_deed_once_for_each_key(
        self, adapter: PlatformAdapter, far: Sandbox
    ) -> None:
        adapter.hold(TARGET, "key-1")
        adapter.remove(TARGET, "key-2")
        again = adapter.hold(TARGET, "key-1")
        for _ in range(2):
            adapter.notify("ana", "Once", "only", "key-3")

        assert again.state == state_of(far, TARGET) == "REMOVED"
        assert len(far.inbox("ana")) == 1

    def test_refuses_a_key_that_stands_for_another_deed(
        self, adapter: PlatformAdapter, far: Sandbox
    ) -> None:
        adapter.hold(TARGET, "key-1")

        with pytest.raises(PlatformError):
            adapter.remove(TARGET, "key-1")

        assert state_of(far, TARGET) == "HELD"

    def test_confirms_nothing_and_changes_nothing_while_down(
        self, adapter: PlatformAdapter, far: Sandbox
    ) -> None:
        far.set_down(True)
        with pytest.raises(PlatformError) as refused:
            adapter.remove(TARGET, "key-1")
        before = state_of(far, TARGET)
        far.set_down(False)

        assert refused.value.retryable
        assert before == "VISIBLE"
        assert adapter.remove(TARGET, "key-1").state == "REMOVED"

    def test_answers_deleted_for_what_the_account_took_away(
        self, adapter: PlatformAdapter, far: Sandbox
    ) -> None:
        far.delete_post(TARGET.content_id)

        assert adapter.remove(TARGET, "key-1").state == "DELETED"
        assert adapter.restore(TARGET, "key-2").state == "DELETED"

    def test_takes_a_deleted_account_for_an_answer_about_its_content(
        self, adapter: PlatformAdapter, far: Sandbox
    ) -> None:
        far.delete_account("ana")

        assert adapter.remove(TARGET, "key-1").state == "DELETED"

    def test_gives_up_on_words_and_deeds_to_a_deleted_account(
        self, adapter: PlatformAdapter, far: Sandbox
    ) -> None:
        far.delete_account("ana")

        for deed in (
            lambda: adapter.notify("ana", "Your post", "words", "key-1"),
            lambda: adapter.disable_account(TARGET, "key-2"),
            lambda: adapter.enable_account(TARGET, "key-3"),
        ):
            assert refusal(deed) == ("account_gone", False)


def refusal(deed: object) -> tuple[str, bool]:
    with pytest.raises(PlatformError) as refused:
        deed()  # type: ignore[operator]
    return refused.value.code, refused.value.retryable


def state_of(far: Sandbox, target: Target) -> str:
    (state,) = {one.state for one in far.posts() if one.id == target.content_id}
    return state


__all__ = ["OTHER", "TARGET", "AdapterContract", "Confirmation", "refusal", "state_of"]
