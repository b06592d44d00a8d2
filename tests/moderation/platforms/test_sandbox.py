from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.test import override_settings

from moderation.platforms import PlatformError, Target, get_platform
from moderation.platforms.sandbox import Sandbox
from tests.moderation.platforms.contract import TARGET, AdapterContract, state_of

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
PICTURE = b"\x89PNG picture"


@pytest.fixture
def far(tmp_path: Path) -> Sandbox:
    return Sandbox(alias="facebook", folder=str(tmp_path))


@pytest.fixture
def adapter(far: Sandbox, tmp_path: Path) -> Sandbox:
    return Sandbox(alias="facebook", folder=str(tmp_path))


class TestAdapter(AdapterContract):
    pass


class TestState:
    def test_lists_posts_newest_first_with_their_pictures(self, far: Sandbox) -> None:
        far.publish(account_id="ana", picture=b"old", caption="one", now=NOW)
        post = far.publish(account_id="ben", picture=PICTURE, caption="two", now=NOW)

        assert [one.caption for one in far.posts()] == ["two", "one"]
        assert far.post(post.number) == post
        assert far.picture(post) == PICTURE
        assert post.is_shown
        assert not post.is_sent

    def test_keeps_the_platforms_apart(self, far: Sandbox, tmp_path: Path) -> None:
        far.publish(account_id="ana", picture=PICTURE, caption="", now=NOW)
        far.set_key("hub_key")
        other = Sandbox(alias="instagram", folder=str(tmp_path))

        assert (other.posts(), other.accounts(), other.key) == ([], [], "")

    def test_remembers_its_key_and_that_a_post_was_sent(
        self, far: Sandbox, adapter: Sandbox
    ) -> None:
        post = far.publish(account_id="ana", picture=PICTURE, caption="", now=NOW)
        far.set_key("hub_one")
        far.set_key("hub_two")
        far.mark_sent(post)

        assert adapter.key == "hub_two"
        assert [one.is_sent for one in adapter.posts()] == [True]

    def test_lets_only_an_active_account_publish(self, far: Sandbox) -> None:
        far.add_account("ben")
        far.disable_account(TARGET, "key-1")

        with pytest.raises(PlatformError):
            far.publish(account_id="ana", picture=PICTURE, caption="", now=NOW)

        assert far.posts() == []

    def test_shows_no_picture_of_what_was_held_removed_or_deleted(
        self, far: Sandbox
    ) -> None:
        post = far.publish(account_id="ana", picture=PICTURE, caption="", now=NOW)

        target = Target("ana", post.id)
        seen = []
        for deed in (far.hold, far.release, far.remove, far.restore):
            deed(target, deed.__name__)
            seen.append([one.is_shown for one in far.posts()])
        far.delete_post(post.id)

        assert seen == [[False], [True], [False], [True]]
        assert [one.is_shown for one in far.posts()] == [False]

    def test_enters_what_only_the_hub_has_named(self, far: Sandbox) -> None:
        far.hold(TARGET, "key-1")

        (post,) = far.posts()
        assert (post.id, post.account_id, post.state) == ("post-1", "ana", "HELD")
        assert not post.is_shown

    def test_counts_a_key_once_however_many_hands_bring_it(
        self, far: Sandbox, tmp_path: Path
    ) -> None:
        def bring(_: int) -> str:
            hand = Sandbox(alias="facebook", folder=str(tmp_path))
            return hand.notify("ana", "Once", "only", "key-1").state

        with ThreadPoolExecutor(8) as hands:
            states = set(hands.map(bring, range(24)))

        assert states == {"DELIVERED"}
        assert len(far.inbox("ana")) == 1

    def test_changes_nothing_when_a_deed_is_refused_midway(self, far: Sandbox) -> None:
        far.hold(TARGET, "key-1")

        with pytest.raises(PlatformError):
            far.notify("stranger", "Your post", "words", "key-1")

        assert far.account("stranger") is None


class TestGetPlatform:
    def test_builds_the_adapter_that_the_settings_name(self, tmp_path: Path) -> None:
        entry = {
            "ADAPTER": "moderation.platforms.sandbox.Sandbox",
            "OPTIONS": {"alias": "facebook", "folder": str(tmp_path)},
        }
        with override_settings(PLATFORMS={"facebook": entry}):
            adapter = get_platform("facebook")

        adapter.hold(TARGET, "key-1")
        assert state_of(Sandbox(alias="facebook", folder=str(tmp_path)), TARGET)

    def test_waits_for_a_platform_that_is_not_configured(self) -> None:
        with override_settings(PLATFORMS={}), pytest.raises(PlatformError) as refused:
            get_platform("facebook")

        assert (refused.value.code, refused.value.retryable) == ("not_configured", True)
